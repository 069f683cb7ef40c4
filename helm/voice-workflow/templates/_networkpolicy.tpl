{{/* Pieces of the NetworkPolicies. */}}

{{/* Takes the root. The rule that lets a pod look names up. */}}
{{- define "voice-workflow.toDns" -}}
- ports:
    {{- range .Values.networkPolicy.dnsPorts }}
    - {port: {{ . }}, protocol: UDP}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with .Values.networkPolicy.to.dns }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* The port of an address. */}}
{{- define "voice-workflow.portOf" -}}
{{- $url := urlParse . }}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (eq $url.scheme "http" | ternary "80" "443") }}
{{- end }}

{{/* root, url. The rule that lets a pod fetch the keys of tokens; nothing where they are not at an address. */}}
{{- define "voice-workflow.toIssuer" -}}
{{- if hasPrefix "http" .url }}
- ports: [{port: {{ include "voice-workflow.portOf" .url }}, protocol: TCP}]
  {{- with .root.Values.networkPolicy.to.issuer }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Takes the root. The rules that let a pod download models. */}}
{{- define "voice-workflow.toModels" -}}
{{- include "voice-workflow.toDns" . }}
- ports: [{port: {{ include "voice-workflow.portOf" (get .Values.speechServer.env "HF_ENDPOINT" | default "https://huggingface.co") }}, protocol: TCP}]
  {{- with .Values.networkPolicy.to.models }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* root, name: the app's name. A peer: the pods of that part of this release. */}}
{{- define "voice-workflow.ownPods" -}}
- podSelector:
    matchLabels:
      {{- include "voice-workflow.selector" . | nindent 6 }}
{{- end }}
