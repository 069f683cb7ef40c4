// What comes out of the page's speaker? Laid into the page before its own scripts: whatever plays also reaches an analyser.

globalThis.ear = (() => {
  const analysers = [];
  const violations = [];
  let heardAt = performance.now();
  const connect = AudioNode.prototype.connect;

  AudioNode.prototype.connect = function connectAlsoEar(target, ...more) {
    if (target instanceof AudioDestinationNode) {
      const analyser = new AnalyserNode(this.context, { fftSize: 1024 });
      connect.call(this, analyser);
      analysers.push(analyser);
    }
    return connect.call(this, target, ...more);
  };
  document.addEventListener("securitypolicyviolation", (event) => violations.push(`policy: ${event.violatedDirective} ${event.blockedURI}`));

  /** Root of the mean square of the last 20 to 60 ms, 0..1. */
  function level() {
    const levels = analysers.map((analyser) => {
      const samples = new Float32Array(analyser.fftSize);
      analyser.getFloatTimeDomainData(samples);
      return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
    });
    return Math.max(0, ...levels);
  }

  /** Milliseconds since sound was last heard. */
  function silentMs() {
    const now = performance.now();
    if (level() > 0.001) heardAt = now;
    return now - heardAt;
  }

  const moment = () => new Promise((resolve) => setTimeout(resolve, 20));

  return { level, silentMs, moment, violations };
})();
