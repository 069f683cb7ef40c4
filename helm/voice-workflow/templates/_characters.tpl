{{/* path, value: any value. Refuses characters that YAML, environments and callers' voices can't carry, wherever they stand: no schema
     sees those of free maps and keys, and a sentence says more than a pattern. */}}
{{- define "voice-workflow.refuseControlCharacters" -}}
{{- $path := .path }}
{{- if or (kindIs "map" .value) (kindIs "slice" .value) }}
  {{- range $key, $value := .value }}
    {{- include "voice-workflow.refuseControlCharacters" (dict "path" $path "value" (toString $key)) }}
    {{- include "voice-workflow.refuseControlCharacters" (dict "path" (printf "%s.%v" $path $key | trimPrefix ".") "value" $value) }}
  {{- end }}
{{- else if kindIs "string" .value }}
  {{- with regexFind "[\\x00-\\x08\\x0B-\\x1F\\x7F-\\x9F\\x{FFFD}\\x{FFFE}\\x{FFFF}]" .value }}
    {{- fail (printf "%s holds the control character %+q: take it out. Line feeds and tabs are fine; a text with Windows line ends or in Windows-1252 becomes plain with `dos2unix` and `iconv -f CP1252 -t UTF-8`." $path .) }}
  {{- end }}
{{- end }}
{{- end }}
