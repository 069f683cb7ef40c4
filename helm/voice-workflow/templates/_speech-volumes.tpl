{{/* What do the speech server's pods mount? Every define takes the root. */}}

{{- define "voice-workflow.speechMounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if include "voice-workflow.withModels" . }}
- {name: models, mountPath: /models{{ if eq .Values.speechServer.modelCache.accessMode "ReadOnlyMany" }}, readOnly: true{{ end }}}
{{- end }}
{{- if .Values.secrets.speechTls.name }}
- {name: tls, mountPath: /etc/speech-server/tls, readOnly: true}
{{- end }}
{{- if .Values.secrets.speechTokens.name }}
- {name: tokens, mountPath: /etc/speech-server/tokens, readOnly: true}
{{- end }}
{{- if .Values.secrets.speechJwtKeys.name }}
- {name: jwt-keys, mountPath: /etc/speech-server/jwt-keys, readOnly: true}
{{- end }}
{{- if .Values.requestLog.enabled }}
- {name: requests, mountPath: /var/log/speech-server}
{{- end }}
{{- end }}

{{- define "voice-workflow.speechVolumes" -}}
- name: tmp
  emptyDir: {}
{{- if include "voice-workflow.withModels" . }}
- name: models
  {{- with include "voice-workflow.modelClaim" . }}
  persistentVolumeClaim: {claimName: {{ . }}{{ if eq $.Values.speechServer.modelCache.accessMode "ReadOnlyMany" }}, readOnly: true{{ end }}}
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- end }}
{{- with .Values.secrets.speechTls.name }}
- name: tls
  secret: {secretName: {{ . }}, defaultMode: 288}
{{- end }}
{{- with .Values.secrets.speechTokens }}{{ if .name }}
- name: tokens
  secret: {secretName: {{ .name }}, defaultMode: 288, items: [{key: {{ .key }}, path: {{ .key }}}]}
{{- end }}{{ end }}
{{- with .Values.secrets.speechJwtKeys }}{{ if .name }}
- name: jwt-keys
  secret: {secretName: {{ .name }}, defaultMode: 288, items: [{key: {{ .key }}, path: {{ .key }}}]}
{{- end }}{{ end }}
{{- with .Values.requestLog }}{{ if .enabled }}
- name: requests
  {{- with .existingClaim }}
  persistentVolumeClaim: {claimName: {{ . }}}
  {{- else }}
  emptyDir: {sizeLimit: 512Mi}
  {{- end }}
{{- end }}{{ end }}
{{- end }}
