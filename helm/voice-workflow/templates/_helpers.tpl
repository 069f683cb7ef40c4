{{/* Names, labels, images and the one security context. Every define takes (dict "root" $ …) unless it says otherwise. */}}

{{/* name: the app's name. Labels that select. */}}
{{- define "voice-workflow.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .track }}
voice-workflow/track: {{ . }}
{{- end }}
{{- end }}

{{/* name: the app's name. Labels of a pod: none that a new version of the chart changes, so that it alone rolls no pod. */}}
{{- define "voice-workflow.podLabels" -}}
{{ include "voice-workflow.selector" . }}
app.kubernetes.io/part-of: voice-workflow
{{- end }}

{{/* name: the app's name. Every label of an object. */}}
{{- define "voice-workflow.labels" -}}
{{ include "voice-workflow.podLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_") }}
{{- end }}

{{/* name: the app's name; suffix: after the release's name. The metadata of an object. */}}
{{- define "voice-workflow.metadata" -}}
name: {{ .root.Release.Name }}-{{ .suffix }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "voice-workflow.labels" . | nindent 2 }}
{{- end }}

{{/* image: one of gateway, speech-server, mini-llm, client. */}}
{{- define "voice-workflow.image" -}}
{{- with .root.Values.image -}}
{{ with .registry }}{{ . }}/{{ end }}{{ .repository }}/{{ $.image }}:{{ get .tags (camelcase $.image | untitle) | default .tag | default $.root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* track: stable or canary. */}}
{{- define "voice-workflow.gatewayImage" -}}
{{- $own := eq .track "canary" | ternary .root.Values.canary.image "" }}
{{- $own | default .root.Values.image.gateway | default (include "voice-workflow.image" (dict "root" .root "image" "gateway")) }}
{{- end }}

{{/* Takes the root. What every pod of the chart has, whatever it runs. */}}
{{- define "voice-workflow.podBasics" -}}
automountServiceAccountToken: false
# Without this a Service called "gateway" in the namespace would set GATEWAY_PORT=tcp://… in every pod.
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- range $id, $number := .Values.podSecurity }}{{ if $number }}
  {{ $id }}: {{ int $number }}
  {{- end }}{{ end }}
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* What every container has. Its last words are in the pod's status, where `voicectl why` finds them. */}}
{{- define "voice-workflow.containerSecurity" -}}
terminationMessagePolicy: FallbackToLogsOnError
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* env: a map of further variables. */}}
{{- define "voice-workflow.env" -}}
{{- range $name, $value := .env }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}
