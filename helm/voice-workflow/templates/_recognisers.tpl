{{/* Which recogniser goes first, and which one takes over? */}}

{{/* "true" while it stands in for Riva. */}}
{{- define "voice-workflow.speechFirst" -}}
{{- if and .Values.speechServer.enabled (not .Values.speechServer.asFallback) }}true{{ end }}
{{- end }}

{{/* host:port of the recogniser that takes over while the first one is down; empty = there is none. */}}
{{- define "voice-workflow.asrFallback" -}}
{{- if and .Values.speechServer.enabled .Values.speechServer.asFallback }}{{ .Release.Name }}-speech-headless:50051{{ else }}{{ .Values.config.riva.asrFallbackUri }}{{ end }}
{{- end }}
