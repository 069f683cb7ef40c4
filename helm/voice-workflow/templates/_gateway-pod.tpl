{{/* The gateway's pod template: (dict "root" $ "track" "stable" | "canary" "imageName" full name "liveKey" the live file's name). */}}
{{- define "voice-workflow.gatewayPod" -}}
{{- $values := .root.Values }}
{{- $secrets := $values.secrets }}
{{- $rivaCa := $secrets.rivaCa }}
{{- if and (include "voice-workflow.speechTls" .root) (not $rivaCa.name) }}
  {{- $rivaCa = dict "name" $secrets.speechTls.name "key" "ca.crt" }}
{{- end }}
{{- $folders := dict "tls" $secrets.tls.name "tokens" $secrets.tokens.name "jwt-keys" $secrets.jwtKeys.name "jwt-secret" $secrets.jwtHmacSecret.name "jwks-ca" $secrets.jwtJwksCa.name "client-secrets" $secrets.clientSecretKeys.name "riva-ca" $rivaCa.name "riva-client" $secrets.rivaClient.name "riva-token" $secrets.rivaToken.name "riva-fallback-token" $secrets.rivaFallbackToken.name "tool-secrets" $secrets.tools.name "llm-key" $secrets.llmApiKey.name "llm-ca" $secrets.llmCa.name "llm-client" $secrets.llmClient.name -}}
metadata:
  labels:
    {{- include "voice-workflow.podLabels" (dict "root" .root "name" "voice-gateway" "track" .track) | nindent 4 }}
    {{- with $values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    prometheus.io/scrape: "true"
    prometheus.io/port: "8080"
    prometheus.io/path: /metrics
    {{- with $values.languages }}
    # In the template, as the variables are: an upgrade that fails must not reach pods that start again.
    voice-workflow/languages: {{ toJson . | toJson }}
    {{- end }}
    {{- with $values.tools }}
    voice-workflow/tools: {{ toJson . | toJson }}
    {{- end }}
    {{- with $values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ .root.Release.Name }}-gateway
  {{- include "voice-workflow.podBasics" .root | nindent 2 }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ add $values.drain.propagationSeconds $values.drain.seconds 15 }}
  {{- with $values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if $values.topologySpread.enabled }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: {{ $values.topologySpread.topologyKey }}
      whenUnsatisfiable: {{ $values.topologySpread.whenUnsatisfiable }}
      labelSelector:
        matchLabels:
          {{- include "voice-workflow.selector" (dict "root" .root "name" "voice-gateway" "track" .track) | nindent 10 }}
      matchLabelKeys: [pod-template-hash]
  {{- end }}
  containers:
    - name: gateway
      image: {{ .imageName }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      {{- include "voice-workflow.containerSecurity" . | nindent 6 }}
      # Here, not in a ConfigMap: an upgrade that fails must not reach pods that start again.
      env:
        {{- include "voice-workflow.env" (dict "env" (get (include "voice-workflow.config" .root | fromJson) "restart")) | trim | nindent 8 }}
        - {name: GATEWAY_LIVE_FILE, value: /etc/voice-gateway/live/{{ .liveKey }}}
        {{- if $values.languages }}
        - {name: GATEWAY_LANGUAGES_FILE, value: /etc/voice-gateway/languages/languages.yaml}
        {{- end }}
        {{- if $values.tools }}
        - {name: GATEWAY_TOOLS_FILE, value: /etc/voice-gateway/tools/tools.yaml}
        {{- end }}
        {{- with include "voice-workflow.gatewaySecretEnv" (dict "secrets" $secrets "rivaCa" $rivaCa) | trim }}{{ . | nindent 8 }}{{ end }}
      ports:
        - {name: grpc, containerPort: 50050}
        - {name: http, containerPort: 8080}
        {{- if $values.web.enabled }}
        - {name: web, containerPort: 8090}
        {{- end }}
      # Alive = the event loop answers. Ready = it does not drain, and every backend has answered since it began. One that
      # is away later keeps the pods ready: callers get a sentence at once, where without pods they would get nothing.
      startupProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 1
        timeoutSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        # Who hangs does not drain: without its own grace the pod would be kept for that of its calls.
        terminationGracePeriodSeconds: 10
      readinessProbe:
        {{- if $secrets.tls.name }}
        httpGet: {path: /readyz/pod, port: http}
        {{- else }}
        grpc: {port: 50050}
        {{- end }}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 2
      lifecycle:
        preStop:
          sleep: {seconds: {{ $values.drain.propagationSeconds }}}
      {{- with $values.resources }}
      resources: {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        {{- include "voice-workflow.gatewayVolumeMounts" (dict "values" $values "folders" $folders) | trim | nindent 8 }}
  volumes:
    {{- include "voice-workflow.gatewayVolumes" (dict "root" .root "folders" $folders "rivaCa" $rivaCa) | trim | nindent 4 }}
{{- end }}
