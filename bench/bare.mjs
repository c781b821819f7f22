// A fastify with one route and nothing else, to measure the daemon's against: bare.mjs TYPE SIZE. Prints its port.
import fastify from 'fastify';

const [type, size] = process.argv.slice(2);
const text = 'x'.repeat(Number(size));
const app = fastify();
app.get('/', (_request, reply) => {
  reply.type(type).send(text);
});
const address = await app.listen({ host: '127.0.0.1', port: 0 });
console.log(new URL(address).port);
