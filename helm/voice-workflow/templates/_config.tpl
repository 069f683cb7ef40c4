{{/* Which environment variable is a value of `config`, and which of them are live? */}}

{{/* Read by the gateway while it runs; the same list as `voice-gateway settings --json` calls live. */}}
{{- define "voice-workflow.liveNames" -}}
LLM_SYSTEM_PROMPT LLM_MODEL LLM_TEMPERATURE LLM_MAX_TOKENS LLM_HISTORY LLM_CONTEXT_TOKENS LLM_SUMMARISE LLM_SUMMARY_TOKENS
LLM_SUMMARY_TIMEOUT_S LLM_SUMMARY_PROMPT LLM_FIRST_TOKEN_TIMEOUT_S LLM_TOKEN_TIMEOUT_S
LLM_PREWARM LLM_APOLOGY LLM_THINKS_FIRST TTS_VERBALISE TTS_PHRASE_WAIT_S TRANSCRIBE_INTERIM_MS TRANSCRIBE_IDLE_S TRANSCRIBE_MAX_HELD_BACK_S ASR_PREFERRED ASR_LANGUAGE ASR_HOTWORDS ASR_STOP_HISTORY_MS
ASR_STOP_HISTORY_EOU_MS TTS_VOICE TTS_FIRST_AUDIO_TIMEOUT_S TTS_AUDIO_TIMEOUT_S GREETING TURN_END_SILENCE_S
TURN_COMPLETE_SILENCE_S TURN_INCOMPLETE_SILENCE_S TURN_READING_SILENCE_S TURN_LEARNED_SILENCE_MAX_S TURN_LEARNED_SILENCE_MIN_S
TURN_COMPLETE_SCORE
TURN_MAX_SILENCE_S TURN_END_ON_FINAL TURN_GREETING_PROTECTED TURN_BARGE_IN_AFTER_S
TURN_BARGE_IN_WORDS TURN_MAX_HOLD_S TURN_RESUME_AFTER_S TURN_PREEMPTIVE TURN_PREEMPTIVE_TRIES
TURN_PREEMPTIVE_MAX_SPEECH_S TURN_MAX_S TURN_LAG_SLACK_S TURN_MAX_LAG_S TURN_IDLE_AFTER_S TURN_IDLE_TRIES TURN_IDLE_PROMPT
TOOL_MAX_ROUNDS TOOL_MAX_PARALLEL TOOL_FILLER_AFTER_S TOOL_LOG_ARGUMENTS
VAD_START VAD_STOP VAD_START_FRAMES VAD_HANGOVER_S VAD_OVERLAP_HANGOVER_S
GATEWAY_MAX_SESSIONS GATEWAY_MAX_SESSIONS_PER_TOKEN GATEWAY_CALLS_PER_MINUTE_PER_TOKEN
GATEWAY_AUDIO_S_PER_HOUR_PER_TOKEN GATEWAY_AUDIO_S_PER_DAY_PER_TOKEN GATEWAY_TYPED_TURNS_PER_MINUTE_PER_TOKEN
GATEWAY_MAX_SESSION_S GATEWAY_WARN_BEFORE_S CALLER_MAY_SET LOG_LEVEL
{{- end }}

{{/* Takes the root. JSON, which carries every character, of {live: {NAME: value}, restart: {NAME: "text"}}. A value's name is GROUP_NAME but for four. */}}
{{- define "voice-workflow.config" -}}
{{- $odd := dict "gateway.logLevel" "LOG_LEVEL" "gateway.logFormat" "LOG_FORMAT" "turn.greeting" "GREETING" "vad.detector" "VAD" }}
{{- $isLive := dict }}
{{- range regexSplit "\\s+" (include "voice-workflow.liveNames" . | trim) -1 }}{{ $_ := set $isLive . true }}{{ end }}
{{- $numbers := .Files.Get "ranges.json" | fromJson }}
{{- $live := dict }}
{{- $restart := dict }}
{{- range $group, $values := .Values.config }}
  {{- range $key, $value := $values }}
    {{- $name := get $odd (printf "%s.%s" $group $key) | default (printf "%s_%s" $group $key | snakecase | upper) }}
    {{- $value = hasKey $numbers (printf "%s.%s" $group $key) | ternary (float64 $value) $value }}
    {{- if hasKey $isLive $name }}
      {{- $_ := set $live $name $value }}
    {{- else }}
      {{- $_ := set $restart $name (kindIs "string" $value | ternary $value (toJson $value)) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- $_ := set $restart "GATEWAY_HOST" "0.0.0.0" }}
{{- $_ := set $restart "GATEWAY_WEB" (toJson .Values.web.enabled) }}
{{- $_ := set $restart "RIVA_HOST" (include "voice-workflow.rivaHost" .) }}
{{- $_ := set $restart "RIVA_ASR_FALLBACK_URI" (include "voice-workflow.asrFallback" .) }}
{{- if include "voice-workflow.speechTls" . }}{{ $_ := set $restart (include "voice-workflow.speechFirst" . | empty | ternary "RIVA_ASR_FALLBACK_SSL" "RIVA_SSL") "true" }}{{ end }}
{{- $_ := set $restart "LLM_BASE_URL" (include "voice-workflow.llmUrl" .) }}
{{- $_ := set $restart "GATEWAY_DRAIN_S" (toJson .Values.drain.seconds) }}
{{- toJson (dict "live" $live "restart" $restart) }}
{{- end }}

{{/* Takes the root. JSON list of the ports of `tools`' addresses. */}}
{{- define "voice-workflow.toolPorts" -}}
{{- $ports := list }}
{{- range concat (.Values.tools.tools | default list) (.Values.tools.mcp | default list) }}
  {{- $url := dig "http" "url" (get . "url") . | toString | urlParse }}
  {{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (eq $url.scheme "http" | ternary "80" "443") }}
  {{- $ports = append $ports (int $port) }}
{{- end }}
{{- toJson (uniq $ports) }}
{{- end }}

{{/* Takes the root. "true" while the chart runs a mini LLM of its own. */}}
{{- define "voice-workflow.ownLlm" -}}
{{- if .Values.miniLlm.enabled }}true{{ end }}
{{- end }}

{{/* Takes the root. Channels spread their streams over all addresses they are given: those of the headless Service, with one pod, too,
     so that a second one rolls no gateway. */}}
{{- define "voice-workflow.rivaHost" -}}
{{- $own := include "voice-workflow.speechFirst" . | empty | ternary "riva-api" (printf "%s-speech-headless" .Release.Name) }}
{{- .Values.config.riva.host | default $own }}
{{- end }}
{{- define "voice-workflow.llmUrl" -}}
{{- $own := include "voice-workflow.ownLlm" . | empty | ternary "http://nim-llm:8000/v1" (printf "http://%s-llm:8000/v1" .Release.Name) }}
{{- .Values.config.llm.baseUrl | default $own }}
{{- end }}
