import Type from 'typebox';

/** A string of a closed set; `type` is there for the serializer, which otherwise takes its slow path. */
export const OneOf = <const V extends string[]>(values: V, description: string) =>
  Type.Unsafe<V[number]>({ type: 'string', enum: values, description });

/** A text or null, the way JSON Schema 2020-12 (OpenAPI 3.1) writes it. */
export const TextOrNull = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], description });

/** RFC 3339 in UTC. No `format`: it would add a check to every answer and say nothing more. */
export const Time = (description: string) => Type.String({ description: `${description} RFC 3339, UTC.` });

/** As `Time`, or null. */
export const TimeOrNull = (description: string) => TextOrNull(`${description} RFC 3339, UTC.`);

/** A whole number that is never negative. */
export const Count = (description: string) => Type.Integer({ minimum: 0, description });

/** What a client sends: an object with these properties and no others. */
export const Exactly = <P extends Type.TProperties>(properties: P, options: Type.TObjectOptions = {}) =>
  Type.Object(properties, { ...options, additionalProperties: false });

/**
 * What a client gets. The serializer sends only what is described here; the document leaves room, so that a member that
 * a later version adds breaks no client.
 */
export const Shape = <P extends Type.TProperties>(properties: P, options: Type.TObjectOptions = {}) =>
  Type.Object(properties, options);

/** A shape with a name of its own in the OpenAPI document; `Ref` refers to it. */
export const Named = <P extends Type.TProperties>(name: string, description: string, properties: P) =>
  Shape(properties, { $id: name, description });

/** A reference to a named schema, with its type. */
export const Ref = <S extends Type.TSchema>(schema: S, description?: string) =>
  Type.Unsafe<Type.Static<S>>({
    $ref: `${(schema as { $id?: string }).$id ?? ''}#`,
    ...(description !== undefined && { description }),
  });

/** Where a nullable shape keeps the name of what it is a copy of. */
export const nullableOf = 'x-nullable-of';

/**
 * A named schema or null: a copy with two types, because the serializer validates each answer against an `anyOf` (5 µs
 * each time); the document shows `anyOf` and the name.
 */
export const RefOrNull = <S extends Type.TSchema>(schema: S) => {
  const { $id: name, ...copy } = schema as S & { $id?: string };
  return Type.Unsafe<Type.Static<S> | null>({ ...copy, type: ['object', 'null'], [nullableOf]: name });
};
