// Swagger UI over /openapi.json, set as FastAPI sets it.

interface SwaggerUi {
  (settings: Record<string, unknown>): unknown;
  readonly presets: { readonly apis: unknown };
  readonly SwaggerUIStandalonePreset: unknown;
}

declare const SwaggerUIBundle: SwaggerUi;

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  layout: "BaseLayout",
  deepLinking: true,
  showExtensions: true,
  showCommonExtensions: true,
  oauth2RedirectUrl: `${location.origin}/docs/oauth2-redirect`,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
  // By default it sends the address to another host.
  validatorUrl: null,
});
