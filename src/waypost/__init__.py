"""Waypost: sessions, message queues and streams on one Workers KV namespace.

Layers, outermost first; an import only ever points downwards:

    entry, cloudflare…     the runtime: the only files that know JavaScript
    app, routing           composition root, route table, error -> reply
    handlers               one file per resource: decode, call the domain, encode
    http                   requests and replies as plain values
    streaming, waiting     loops that look at a queue until their budget is spent
    delivery, ordering     what a reader is sent, in which order, flagged how
    model_choice, …_model  who answers in a chat, and how a service is asked
    queue, session, …      what is stored, and what it promises
    signing, sse, cursor   codecs without input or output
    kv, clock, random      ports
    settings, limits, errors
"""
