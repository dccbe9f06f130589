// As little as a Worker can do with JSON: parse what came, answer it.
export default {
  async fetch(request) {
    const text = await request.text();
    return Response.json(text ? JSON.parse(text) : null);
  },
};
