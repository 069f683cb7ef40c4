{{/* Where does the gateway find what is in Secrets? List items of env. secrets: the values; rivaCa: name and key. */}}

{{- define "voice-workflow.gatewaySecretEnv" -}}
{{- with .secrets.llmApiKey }}{{ if .name }}
- {name: LLM_API_KEY_FILE, value: /etc/voice-gateway/llm-key/{{ .key }}}
{{- end }}{{ end }}
{{- with .secrets.llmCa }}{{ if .name }}
- {name: LLM_CA_FILE, value: /etc/voice-gateway/llm-ca/{{ .key }}}
{{- end }}{{ end }}
{{- if .secrets.llmClient.name }}
- {name: LLM_CLIENT_CERT_FILE, value: /etc/voice-gateway/llm-client/tls.crt}
- {name: LLM_CLIENT_KEY_FILE, value: /etc/voice-gateway/llm-client/tls.key}
{{- end }}
{{- if .secrets.tls.name }}
- {name: GATEWAY_TLS_CERT_FILE, value: /etc/voice-gateway/tls/tls.crt}
- {name: GATEWAY_TLS_KEY_FILE, value: /etc/voice-gateway/tls/tls.key}
{{- end }}
{{- if .secrets.tls.clientCa }}
- {name: GATEWAY_TLS_CLIENT_CA_FILE, value: /etc/voice-gateway/tls/ca.crt}
{{- end }}
{{- with .secrets.tokens }}{{ if .name }}
- {name: GATEWAY_TOKENS_FILE, value: /etc/voice-gateway/tokens/{{ .key }}}
{{- end }}{{ end }}
{{- with .secrets.jwtKeys }}{{ if .name }}
- {name: GATEWAY_JWT_PUBLIC_KEYS_FILE, value: /etc/voice-gateway/jwt-keys/{{ .key }}}
{{- end }}{{ end }}
{{- with .secrets.jwtHmacSecret }}{{ if .name }}
- {name: GATEWAY_JWT_HMAC_SECRET_FILE, value: /etc/voice-gateway/jwt-secret/{{ .key }}}
{{- end }}{{ end }}
{{- with .secrets.jwtJwksCa }}{{ if .name }}
- {name: GATEWAY_JWT_JWKS_CA_FILE, value: /etc/voice-gateway/jwks-ca/{{ .key }}}
{{- end }}{{ end }}
{{- with .secrets.clientSecretKeys }}{{ if .name }}
- {name: GATEWAY_CLIENT_SECRET_KEYS_FILE, value: /etc/voice-gateway/client-secrets/{{ .key }}}
{{- end }}{{ end }}
{{- if .rivaCa.name }}
- {name: RIVA_CA_FILE, value: /etc/voice-gateway/riva-ca/{{ .rivaCa.key }}}
{{- end }}
{{- if .secrets.rivaClient.name }}
- {name: RIVA_CLIENT_CERT_FILE, value: /etc/voice-gateway/riva-client/tls.crt}
- {name: RIVA_CLIENT_KEY_FILE, value: /etc/voice-gateway/riva-client/tls.key}
{{- end }}
{{- with .secrets.rivaToken }}{{ if .name }}
- {name: RIVA_TOKEN_FILE, value: /etc/voice-gateway/riva-token/{{ .key }}}
{{- end }}{{ end }}
{{- with .secrets.rivaFallbackToken }}{{ if .name }}
- {name: RIVA_ASR_FALLBACK_TOKEN_FILE, value: /etc/voice-gateway/riva-fallback-token/{{ .key }}}
{{- end }}{{ end }}
{{- end }}
