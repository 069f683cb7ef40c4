{{/* What is already running, and how is it left alone? Read from the cluster; where none is asked (helm template) nothing runs. */}}

{{/* root, imageName. The key of the live file of the pods with that template. A change that rolls the pods makes a new key, so that
     the older ones, and those of an upgrade that fails, keep their own settings; any other change is taken by the running pods. */}}
{{- define "voice-workflow.liveKey" -}}
{{- $image := .imageName }}
{{- $pod := include "voice-workflow.gatewayPod" (dict "root" .root "track" "stable" "imageName" "" "liveKey" "") | sha256sum | trunc 10 }}
{{- $key := printf "live-%s-%s.yaml" $pod (sha256sum $image | trunc 6) }}
{{- /* An image that voicectl or kubectl gave the running pods came without a key of its own: they keep the one they read. */}}
{{- $running := lookup "apps/v1" "Deployment" .root.Release.Namespace (printf "%s-gateway" .root.Release.Name) }}
{{- range dig "spec" "template" "spec" "containers" (list) $running }}{{ if eq .image $image }}{{ range dig "env" (list) . }}
  {{- $read := get . "value" | default "" | base }}
  {{- if and (eq .name "GATEWAY_LIVE_FILE") (hasPrefix (printf "live-%s-" $pod) $read) }}{{ $key = $read }}{{ end }}
{{- end }}{{ end }}{{ end }}
{{- $key }}
{{- end }}

{{/* root, keys: those of this revision. JSON of {key: text}: live files that pods of other revisions still read. */}}
{{- define "voice-workflow.olderLiveFiles" -}}
{{- $release := .root.Release }}
{{- $older := dict }}
{{- $there := lookup "v1" "ConfigMap" $release.Namespace (printf "%s-gateway-live" $release.Name) | dig "data" (dict) }}
{{- range lookup "apps/v1" "ReplicaSet" $release.Namespace "" | dig "items" (list) }}
  {{- $labels := dig "metadata" "labels" (dict) . }}
  {{- $ours := and (eq (get $labels "app.kubernetes.io/instance") $release.Name) (eq (get $labels "app.kubernetes.io/name") "voice-gateway") }}
  {{- if and $ours (dig "status" "replicas" 0 . | int) }}
    {{- range dig "spec" "template" "spec" "containers" (list) . }}{{ range dig "env" (list) . }}
      {{- $key := get . "value" | default "" | base }}
      {{- if and (eq .name "GATEWAY_LIVE_FILE") (hasKey $there $key) (not (has $key $.keys)) }}
        {{- $_ := set $older $key (get $there $key) }}
      {{- end }}
    {{- end }}{{ end }}
  {{- end }}
{{- end }}
{{- toJson $older }}
{{- end }}

{{/* Takes the root. How many stable pods the Deployment is given; empty = the number is somebody else's. Helm 4 applies with field
     ownership: a number left out falls to 1 where Helm alone owned it, and one that another owns is a conflict unless it is the same. */}}
{{- define "voice-workflow.gatewayReplicas" -}}
{{- $deployment := lookup "apps/v1" "Deployment" .Release.Namespace (printf "%s-gateway" .Release.Name) }}
{{- $wished := int .Values.replicas }}
{{- $scaled := .Values.autoscaling.enabled }}
{{- if not $deployment }}
  {{- $scaled | ternary "" (toString $wished) }}
{{- else }}
  {{- $now := dig "spec" "replicas" 1 $deployment | int }}
  {{- $owners := list }}
  {{- $applied := false }}
  {{- range dig "metadata" "managedFields" (list) $deployment }}
    {{- $helm := hasPrefix "helm" (get . "manager" | default "") }}
    {{- if and $helm (eq .operation "Apply") }}{{ $applied = true }}{{ end }}
    {{- if and (not $helm) (hasKey (dig "fieldsV1" "f:spec" (dict) .) "f:replicas") }}{{ $owners = append $owners .manager }}{{ end }}
  {{- end }}
  {{- $said := dig "metadata" "annotations" "voice-workflow/replicas" "" $deployment }}
  {{- $elsewhere := and $applied (gt (len $owners) 0) }}
  {{- if $scaled }}
    {{- $elsewhere | ternary "" (toString $now) }}
  {{- else if or (eq $now $wished) (not $elsewhere) }}
    {{- $wished }}
  {{- else if or (eq $said (toString $wished)) (eq $said "autoscaling") }}
    {{- $now }}
  {{- else }}
    {{- $name := printf "%s-gateway" .Release.Name }}
    {{- fail (printf "replicas is %d, but the Deployment %s was given %d pods by %s, whose number Helm may not change: say `kubectl --namespace %s scale deployment %s --replicas=%d` first, then this again." $wished $name $now (first $owners) .Release.Namespace $name $wished) }}
  {{- end }}
{{- end }}
{{- end }}
