{{/* How is the chart's own speech server set up? Every define takes the root. */}}

{{/* "true" while the chart runs one. */}}
{{- define "voice-workflow.ownSpeech" -}}
{{- if .Values.speechServer.enabled }}true{{ end }}
{{- end }}

{{/* "true" while its recogniser is one that needs models. */}}
{{- define "voice-workflow.largeEngine" -}}
{{- if has .Values.speechServer.engine (list "parakeet" "streaming") }}true{{ end }}
{{- end }}

{{/* "true" while its pods mount models. */}}
{{- define "voice-workflow.withModels" -}}
{{- with .Values.speechServer }}
{{- if and .enabled (or (include "voice-workflow.largeEngine" $) (eq .ttsEngine "kokoro")) }}true{{ end }}
{{- end }}
{{- end }}

{{- define "voice-workflow.gpus" -}}
{{- toString .Values.speechServer.gpus | default (include "voice-workflow.largeEngine" . | empty | ternary "0" "1") }}
{{- end }}

{{/* How many pods. Several, unless each needs a GPU or a claim that one node alone can mount. */}}
{{- define "voice-workflow.speechReplicas" -}}
{{- $alone := or (gt (include "voice-workflow.gpus" . | int) 0) (eq (include "voice-workflow.oneNode" .) "true") }}
{{- toString .Values.speechServer.replicas | default ($alone | ternary "1" "2") }}
{{- end }}

{{/* "true" while its pods mount a claim that one node alone can mount. */}}
{{- define "voice-workflow.oneNode" -}}
{{- if and (include "voice-workflow.withModels" .) (include "voice-workflow.modelClaim" .) (eq .Values.speechServer.modelCache.accessMode "ReadWriteOnce") }}true{{ end }}
{{- end }}

{{/* A further pod with GPUs may find none free, and one on another node can't mount the claim. */}}
{{- define "voice-workflow.speechStrategy" -}}
{{- $onGpu := gt (include "voice-workflow.gpus" . | int) 0 }}
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
{{- $withCuda := gt (include "voice-workflow.gpus" . | int) 0 | ternary "-gpu" "" }}
{{- .Values.speechServer.image | default (print $image $withCuda) }}
{{- end }}

{{/* JSON map: every variable but those that name another. What an operator says in env wins. */}}
{{- define "voice-workflow.speechEnv" -}}
{{- $env := dict "SPEECH_HOST" "0.0.0.0" "SPEECH_GRPC_PORT" "50051" "SPEECH_HTTP_PORT" "8001" "SPEECH_DRAIN_NOTICE_S" "5" "SPEECH_DRAIN_GRACE_S" "30" }}
{{- with .Values.secrets.speechTls }}
  {{- if not .name }}{{ $_ := set $env "SPEECH_PLAINTEXT" (toString $.Values.speechServer.plaintext) }}{{ end }}
  {{- if .name }}
    {{- $env = merge (dict "SPEECH_TLS_CERT_FILE" "/etc/speech-server/tls/tls.crt" "SPEECH_TLS_KEY_FILE" "/etc/speech-server/tls/tls.key") $env }}
  {{- end }}
  {{- if .clientCa }}{{ $_ := set $env "SPEECH_TLS_CLIENT_CA_FILE" "/etc/speech-server/tls/ca.crt" }}{{ end }}
{{- end }}
{{- with .Values.secrets.speechTokens }}
  {{- if .name }}{{ $_ := set $env "SPEECH_TOKENS_FILE" (printf "/etc/speech-server/tokens/%s" .key) }}{{ end }}
{{- end }}
{{- with .Values.secrets.speechJwtKeys }}
  {{- if .name }}{{ $_ := set $env "SPEECH_JWT_PUBLIC_KEYS_FILE" (printf "/etc/speech-server/jwt-keys/%s" .key) }}{{ end }}
{{- end }}
{{- toJson (merge (include "voice-workflow.modelEnv" . | fromJson) $env) }}
{{- end }}

{{/* JSON map: which engines, and which models from where. */}}
{{- define "voice-workflow.modelEnv" -}}
{{- with .Values.speechServer }}
{{- $env := dict "SPEECH_ASR_ENGINE" .engine "SPEECH_TTS_ENGINE" (.ttsEngine | default (eq .engine "scripted" | ternary "tone" "espeak")) }}
{{- if include "voice-workflow.withModels" $ }}
  {{- $pull := toString .modelCache.pull }}
  {{- $env = merge $env (dict "PARAKEET_CACHE" "/models" "PARAKEET_PULL" $pull "KOKORO_CACHE" "/models" "KOKORO_PULL" $pull "HF_HUB_DISABLE_TELEMETRY" "1") }}
  {{- with .kokoroPath }}{{ $_ := set $env "KOKORO_MODEL_PATH" (printf "/models/%s" .) }}{{ end }}
{{- end }}
{{- if include "voice-workflow.largeEngine" $ }}
  {{- $streaming := eq .engine "streaming" }}
  {{- $path := .model.path | empty | ternary "" (printf "/models/%s" .model.path) }}
  {{- $model := dict ($streaming | ternary "MODEL_NAME" "MODEL_ID") .model.id "PRECISION" .model.precision "LANGUAGES" .model.languages "REVISION" .model.revision "MODEL_PATH" $path }}
  {{- range $name, $value := $model }}
    {{- if $value }}{{ $_ := set $env (printf "%s_%s" (upper $.Values.speechServer.engine) $name) $value }}{{ end }}
  {{- end }}
{{- end }}
{{- toJson (merge (dict) .env $env) }}
{{- end }}
{{- end }}

{{/* JSON map: what a pod asks for, the operator's over the engine's. */}}
{{- define "voice-workflow.speechResources" -}}
{{- $small := dict "requests" (dict "cpu" "250m" "memory" "512Mi") "limits" (dict "memory" "1536Mi") }}
{{- $large := dict "requests" (dict "cpu" "2" "memory" "6Gi") "limits" (dict "memory" "12Gi") }}
{{- $gpus := include "voice-workflow.gpus" . | int }}
{{- $resources := merge (deepCopy (.Values.speechServer.resources | default dict)) (include "voice-workflow.largeEngine" . | empty | ternary $small $large) }}
{{- if gt $gpus 0 }}{{ $_ := set $resources "limits" (merge (dict "nvidia.com/gpu" $gpus) $resources.limits) }}{{ end }}
{{- toJson $resources }}
{{- end }}

{{/* List items of env: what comes from a Secret. */}}
{{- define "voice-workflow.speechSecretEnv" -}}
{{- with .Values.secrets.hubToken }}
{{- if and (include "voice-workflow.withModels" $) .name }}
- name: HF_TOKEN
  valueFrom:
    secretKeyRef: {name: {{ .name }}, key: {{ .key }}}
{{- end }}
{{- end }}
{{- end }}

{{/* The claim's name; empty = there is none. */}}
{{- define "voice-workflow.modelClaim" -}}
{{- with .Values.speechServer.modelCache }}
{{- .existingClaim | default (.size | empty | ternary "" (printf "%s-models" $.Release.Name)) }}
{{- end }}
{{- end }}

{{/* Where pods with models may run. */}}
{{- define "voice-workflow.modelPlaces" -}}
{{- with .Values.speechServer }}
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
