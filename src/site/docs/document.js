/** What this page reads of an OpenAPI document, and its references. */

/** @typedef {{ type?: string | string[], title?: string, description?: string, format?: string, pattern?: string,
 *   properties?: Record<string, Schema>, patternProperties?: Record<string, Schema>, required?: string[],
 *   items?: Schema, anyOf?: Schema[], oneOf?: Schema[], allOf?: Schema[], enum?: unknown[], const?: unknown,
 *   default?: unknown, "x-meanings"?: Record<string, string>, minimum?: number, maximum?: number, minLength?: number, maxLength?: number,
 *   minItems?: number, maxItems?: number, not?: Schema, contentSchema?: Schema, additionalProperties?: boolean | Schema,
 *   $ref?: string }} Schema */
/** @typedef {{ summary?: string, value: unknown }} Example */
/** @typedef {{ schema?: Schema, examples?: Record<string, Example> }} Content */
/** @typedef {{ name: string, in: string, required?: boolean, description?: string, schema: Schema, style?: string,
 *   examples?: Record<string, Example> }} Parameter */
/** @typedef {{ description?: string, required?: boolean, schema: Schema, $ref?: string }} Header */
/** @typedef {{ operationId: string, description?: string }} Link */
/** @typedef {{ description: string, headers?: Record<string, Header>, content?: Record<string, Content>,
 *   links?: Record<string, Link>, $ref?: string }} Reply */
/** @typedef {{ operationId: string, tags: string[], summary: string, description?: string, parameters?: Parameter[],
 *   requestBody?: { required: boolean, content: Record<string, Content> }, responses: Record<string, Reply>,
 *   security: Array<Record<string, string[]>> }} Described */
/** @typedef {Described & { method: string, path: string }} Operation */
/** @typedef {{ info: { title: string, version: string, summary: string, description: string },
 *   tags: Array<{ name: string, description: string }>, paths: Record<string, Record<string, Described>>,
 *   components: { securitySchemes: Record<string, { description: string }>, schemas: Record<string, Schema> } }} OpenApi */

/** Follows references inside one document. */
export class Resolver {
  /** @param {OpenApi} api */
  constructor(api) {
    this.api = api;
  }

  /**
   * What `value` refers to, or `value` itself.
   * @template {{ $ref?: string }} Kind
   * @param {Kind} value
   * @returns {Kind}
   */
  resolve(value) {
    if (!value.$ref) return value;
    /** @type {any} */
    let found = this.api;
    for (const part of value.$ref.slice(2).split("/")) found = found[part];
    return found;
  }
}

/**
 * The codes of the problems that a reply may be.
 * @param {Reply} reply
 * @returns {string[]}
 */
export function problemCodes(reply) {
  const parts = reply.content?.["application/problem+json"]?.schema?.allOf ?? [];
  return parts.flatMap((part) => /** @type {string[]} */ (part.properties?.code?.enum ?? []));
}

/**
 * What each problem code says.
 * @param {OpenApi} api
 */
export function meaningsOf(api) {
  return api.components.schemas.Problem.properties?.code["x-meanings"] ?? {};
}

/**
 * Every operation, in the order of the document.
 * @param {OpenApi} api
 * @returns {Operation[]}
 */
export function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({ ...described, method: method.toUpperCase(), path })),
  );
}
