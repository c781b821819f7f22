/** Pipes are written in the background: what was printed is out, or has failed, when this resolves. */
export async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0 && !stream.destroyed) {
    await new Promise<void>((resolve) => {
      stream.write('', () => {
        resolve();
      });
    });
  }
  // The error of a write is reported by an event of its own, a little later.
  await new Promise((resolve) => setImmediate(resolve));
}
