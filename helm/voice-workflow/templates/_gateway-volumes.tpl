{{/* What is mounted into a gateway pod, and from where? */}}

{{/* values, folders: name of the Secret by folder. */}}
{{- define "voice-workflow.gatewayVolumeMounts" -}}
- {name: tmp, mountPath: /tmp}
# The folder, never subPath: only so does a changed ConfigMap reach the running pod.
- {name: live, mountPath: /etc/voice-gateway/live, readOnly: true}
{{- if .values.languages }}
- {name: languages, mountPath: /etc/voice-gateway/languages, readOnly: true}
{{- end }}
{{- if .values.tools }}
- {name: tools, mountPath: /etc/voice-gateway/tools, readOnly: true}
{{- end }}
{{- range $folder, $name := .folders }}
{{- if $name }}
- {name: {{ $folder }}, mountPath: /etc/voice-gateway/{{ $folder }}, readOnly: true}
{{- end }}{{ end }}
{{- end }}

{{/* root, folders, rivaCa: name and key. */}}
{{- define "voice-workflow.gatewayVolumes" -}}
{{- $values := .root.Values }}
{{- $rivaCa := .rivaCa }}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
- name: live
  configMap: {name: {{ .root.Release.Name }}-gateway-live}
{{- if $values.languages }}
- name: languages
  downwardAPI:
    items: [{path: languages.yaml, fieldRef: {fieldPath: "metadata.annotations['voice-workflow/languages']"}}]
{{- end }}
{{- if $values.tools }}
- name: tools
  downwardAPI:
    items: [{path: tools.yaml, fieldRef: {fieldPath: "metadata.annotations['voice-workflow/tools']"}}]
{{- end }}
{{- range $folder, $name := .folders }}
{{- if $name }}
- name: {{ $folder }}
  secret:
    secretName: {{ $name }}
    defaultMode: 288
    {{- /* Not the key of the speech server, that may lie beside its authority. */}}
    {{- if eq $folder "riva-ca" }}
    items: [{key: {{ $rivaCa.key }}, path: {{ $rivaCa.key }}}]
    {{- else }}
    {{- with get (dict "riva-token" $values.secrets.rivaToken.key "riva-fallback-token" $values.secrets.rivaFallbackToken.key "llm-key" $values.secrets.llmApiKey.key "llm-ca" $values.secrets.llmCa.key) $folder }}
    items: [{key: {{ . }}, path: {{ . }}}]
    {{- end }}
    {{- end }}
{{- end }}{{ end }}
{{- end }}
