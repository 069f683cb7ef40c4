{{/* How is the chart's own speech server set up, embedded or Parakeet? Every define takes the root. */}}

{{/* "true" while the chart runs one. */}}
{{- define "voice-workflow.ownSpeech" -}}
{{- if or .Values.parakeet.enabled (and .Values.embedded.enabled .Values.embedded.speech.enabled) }}true{{ end }}
{{- end }}

{{/* How many pods. Several, unless each needs a GPU or a claim that one node alone can mount. */}}
{{- define "voice-workflow.speechReplicas" -}}
{{- with .Values.parakeet }}
{{- $alone := or (gt (int .gpus) 0) (eq (include "voice-workflow.oneNode" $) "true") }}
{{- $parakeet := toString .replicas | default ($alone | ternary "1" "2") }}
{{- .enabled | ternary $parakeet (toString $.Values.embedded.speech.replicas) }}
{{- end }}
{{- end }}

{{/* "true" while its pods mount a claim that one node alone can mount. */}}
{{- define "voice-workflow.oneNode" -}}
{{- if and .Values.parakeet.enabled (include "voice-workflow.modelClaim" .) (eq .Values.parakeet.modelCache.accessMode "ReadWriteOnce") }}true{{ end }}
{{- end }}

{{/* A further pod with GPUs may find none free, and one on another node can't mount the claim. */}}
{{- define "voice-workflow.speechStrategy" -}}
{{- $onGpu := and .Values.parakeet.enabled (gt (int .Values.parakeet.gpus) 0) }}
{{- if or (include "voice-workflow.oneNode" .) (and $onGpu (lt (include "voice-workflow.speechReplicas" . | int) 2)) }}
type: Recreate
{{- else }}
type: RollingUpdate
rollingUpdate: {{ $onGpu | ternary "{maxUnavailable: 1, maxSurge: 0}" "{maxUnavailable: 0, maxSurge: 1}" }}
{{- end }}
{{- end }}

{{/* "true" while it speaks TLS. */}}
{{- define "voice-workflow.speechTls" -}}
{{- if and (include "voice-workflow.ownSpeech" .) .Values.secrets.speechTls.name }}true{{ end }}
{{- end }}

{{- define "voice-workflow.speechImage" -}}
{{- $image := include "voice-workflow.image" (dict "root" . "image" "speech-server") }}
{{- with .Values.parakeet }}
{{- $withCuda := and .enabled (gt (int .gpus) 0) | ternary "-gpu" "" }}
{{- .enabled | ternary .image "" | default (print $image $withCuda) }}
{{- end }}
{{- end }}

{{/* JSON map: every variable but those that name another. What an operator says in env wins. */}}
{{- define "voice-workflow.speechEnv" -}}
{{- $env := dict "SPEECH_GRPC_PORT" "50051" "SPEECH_HTTP_PORT" "8001" "SPEECH_DRAIN_NOTICE_S" "5" "SPEECH_DRAIN_GRACE_S" "30" }}
{{- with .Values.secrets.speechTls }}
  {{- if .name }}
    {{- $env = merge (dict "SPEECH_TLS_CERT_FILE" "/etc/speech-server/tls/tls.crt" "SPEECH_TLS_KEY_FILE" "/etc/speech-server/tls/tls.key") $env }}
  {{- end }}
  {{- if .clientCa }}{{ $_ := set $env "SPEECH_TLS_CLIENT_CA_FILE" "/etc/speech-server/tls/ca.crt" }}{{ end }}
{{- end }}
{{- with .Values.secrets.speechTokens }}
  {{- if .name }}{{ $_ := set $env "SPEECH_TOKENS_FILE" (printf "/etc/speech-server/tokens/%s" .key) }}{{ end }}
{{- end }}
{{- if .Values.parakeet.enabled }}
  {{- $env = merge (include "voice-workflow.modelEnv" . | fromJson) $env }}
{{- else }}
  {{- $tts := eq .Values.embedded.engine "scripted" | ternary "tone" "embedded" }}
  {{- $env = merge (dict) .Values.embedded.speech.env (dict "SPEECH_ASR_ENGINE" .Values.embedded.engine "SPEECH_TTS_ENGINE" $tts) $env }}
{{- end }}
{{- toJson $env }}
{{- end }}

{{/* JSON map: which models, from where. */}}
{{- define "voice-workflow.modelEnv" -}}
{{- with .Values.parakeet }}
{{- $pull := toString .modelCache.pull }}
{{- $env := dict "SPEECH_ASR_ENGINE" .engine "SPEECH_TTS_ENGINE" .ttsEngine "PARAKEET_CACHE" "/models" "PARAKEET_PULL" $pull "KOKORO_CACHE" "/models" "KOKORO_PULL" $pull "HF_HUB_DISABLE_TELEMETRY" "1" }}
{{- with .kokoroPath }}{{ $_ := set $env "KOKORO_MODEL_PATH" (printf "/models/%s" .) }}{{ end }}
{{- $streaming := eq .engine "streaming" }}
{{- $prefix := $streaming | ternary "STREAMING" "PARAKEET" }}
{{- $path := .model.path | empty | ternary "" (printf "/models/%s" .model.path) }}
{{- $model := dict ($streaming | ternary "MODEL_NAME" "MODEL_ID") .model.id "PRECISION" .model.precision "LANGUAGES" .model.languages "REVISION" .model.revision "MODEL_PATH" $path }}
{{- range $name, $value := $model }}
  {{- if $value }}{{ $_ := set $env (printf "%s_%s" $prefix $name) $value }}{{ end }}
{{- end }}
{{- toJson (merge (dict) .env $env) }}
{{- end }}
{{- end }}

{{/* List items of env: what comes from a Secret. */}}
{{- define "voice-workflow.speechSecretEnv" -}}
{{- with .Values.secrets.hubToken }}
{{- if and $.Values.parakeet.enabled .name }}
- name: HF_TOKEN
  valueFrom:
    secretKeyRef: {name: {{ .name }}, key: {{ .key }}}
{{- end }}
{{- end }}
{{- end }}

{{/* The claim's name; empty = there is none. */}}
{{- define "voice-workflow.modelClaim" -}}
{{- with .Values.parakeet.modelCache }}
{{- .existingClaim | default (.size | empty | ternary "" (printf "%s-models" $.Release.Name)) }}
{{- end }}
{{- end }}

{{/* Where pods with models may run. */}}
{{- define "voice-workflow.modelPlaces" -}}
{{- with .Values.parakeet }}
{{- with .runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
