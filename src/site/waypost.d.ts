/**
 * The types of waypost.js. Generated from its JSDoc by tests/client/types.mjs: do not edit.
 */

export type AnswerError = {
    code: string;
    message: string;
    data?: unknown;
};

/** The server refused: it replied with a problem document (or with something else that is no success). */
export declare class ApiError extends WaypostError {
    status: number;
    /** How long the server asked to be left alone; 0 if it did not say. */
    retryAfterMs: number;
    /** The whole problem document. */
    problem: Record<string, unknown>;
    /**
     * @param {number} status
     * @param {string} code
     * @param {string} message
     * @param {{ retryAfterMs?: number, problem?: Record<string, unknown> }} [more]
     */
    constructor(status: number, code: string, message: string, { retryAfterMs, problem }?: {
        retryAfterMs?: number;
        problem?: Record<string, unknown>;
    });
    /** Whether the session is gone, or not ours: nothing sent again can help. */
    get isFinal(): boolean;
}

export type ApprovalRequest = {
    /**
     * the request's
     */
    id: string;
    tool: string;
    args: any;
    definition: ToolDefinition;
    /**
     * this tab may have had it before, for example before a reload
     */
    replay: boolean;
    /**
     * it was approved and begun before the page was reloaded; its effects may be there
     */
    restarted: boolean;
    /**
     * aborted as soon as there is nothing to decide any more: close the question
     */
    signal: AbortSignal;
};

export type Approver = (request: ApprovalRequest) => Decision | Promise<Decision>;

export type CallOptions = {
    /**
     * the request's own id: the same id is the same request, also after a reload of the caller
     */
    id?: string;
    /**
     * milliseconds until `CallTimeout`; the request stays open
     */
    timeout?: number;
    /**
     * takes the request back
     */
    signal?: AbortSignal;
    onProgress?: (value: any) => void;
};

/** No answer in the time given. The request is still open: the same call with this `id` waits for it again. */
export declare class CallTimeout extends WaypostError {
    id: string;
    /**
     * @param {string} id
     * @param {number} timeoutMs
     */
    constructor(id: string, timeoutMs: number);
}

export declare class Chat {
    #private;
    threadId: string;
    resourceId: string;
    /** @param {ChatOptions} options */
    constructor(options: ChatOptions);
    /** What owns its history, documents and pages: keep it to yourself. Null until it is known. */
    get sessionId(): string | null;
    /**
     * Say something and hear the answer. It is sent when the first event is asked for. A connection that breaks in the
     * middle is taken up again, without a character lost or repeated.
     *
     * The first event rejects with `ApiError` if the server refuses (409 `answer_running`: another answer is not
     * finished) or the model fails, and with `TransportError` if there was no reply: whether it arrived is not known then.
     * @param {string} message
     * @param {SendOptions} [options]
     * @returns {AsyncGenerator<ChatEvent, void, void>}
     */
    send(message: string, { messageId, interrupt, metadata, signal }?: SendOptions): AsyncGenerator<ChatEvent, void, void>;
    /**
     * The answer that is being given in this thread, from its first piece on; null if there is none.
     * @param {{ signal?: AbortSignal }} [options]
     * @returns {Promise<AsyncGenerator<ChatEvent, void, void> | null>}
     */
    resume({ signal }?: {
        signal?: AbortSignal;
    }): Promise<AsyncGenerator<ChatEvent, void, void> | null>;
    /**
     * Stop the answer, for all who listen; what was said is kept. If this chat heard it begin, no other one is hit.
     * @returns {Promise<{ stopped: boolean, generationId: string | null }>}
     */
    stop(): Promise<{
        stopped: boolean;
        generationId: string | null;
    }>;
    /** What is remembered. @returns {Promise<ChatHistory>} */
    history(): Promise<ChatHistory>;
    /**
     * Begin another thread with this one's memory: all of it, or up to a message. This one is not changed by it.
     * @param {{ threadId: string, atMessageId?: string, agent?: string, metadata?: Record<string, string> }} options
     *   `metadata`: by default this thread's
     * @returns {Promise<Chat>} of the new thread
     */
    fork({ threadId, atMessageId, agent, metadata }: {
        threadId: string;
        atMessageId?: string;
        agent?: string;
        metadata?: Record<string, string>;
    }): Promise<Chat>;
    /**
     * What is remembered, as text for a file.
     * @param {"json" | "jsonl" | "markdown"} [format]
     * @returns {Promise<string>}
     */
    export(format?: "json" | "jsonl" | "markdown"): Promise<string>;
}

export type ChatDelta = {
    type: "delta";
    text: string;
    characters: number;
};

export type ChatDone = {
    type: "done";
    generationId: string;
    messageId: string;
    finishReason: "stop" | "stopped" | "length" | "error" | "unknown";
    partial: boolean;
    messageCount: number;
};

export type ChatError = {
    type: "error";
    code: string;
    message: string;
    partial: boolean;
};

export type ChatEvent = ChatStart | ChatDelta | ChatError | ChatDone | ChatWaiting;

export type ChatHistory = {
    /**
     * null: the thread has not begun
     */
    sessionId: string | null;
    /**
     * the last ones, oldest first
     */
    messages: ChatMessage[];
    forkedFrom?: ForkedFrom;
};

export type ChatMessage = {
    id: string;
    role: "user" | "assistant" | "system" | "tool";
    content: any;
    timestamp: string;
    /**
     * the answer was not said to its end, or not yet
     */
    partial?: boolean;
    toolCalls?: {
        id: string;
        name: string;
        args: any;
    }[];
    toolCallId?: string;
};

export type ChatOptions = {
    threadId: string;
    /**
     * whose thread it is; by default the thread's own id
     */
    resourceId?: string;
    agent?: string;
    /**
     * where the server asks for one
     */
    appKey?: string;
    /**
     * if it is known, from a list of threads: the history is then found without a look-up
     */
    sessionId?: string;
    /**
     * the server; by default the one this module came from
     */
    baseUrl?: string;
};

export type ChatStart = {
    type: "start";
    sessionId: string;
    threadId: string;
    resourceId: string;
    generationId: string;
    messageId: string;
    forkedFrom?: ForkedFrom;
};

export type ChatWaiting = {
    type: "waiting";
    delayMs: number;
    error: Error;
};

export type Decision = "once" | "always" | "refuse";

/**
 * What came is not what the other end of an encrypted session has sent: it was changed on the way, sent in the clear, or
 * encrypted with another key. Whether the tool ran is not known.
 */
export declare class DecryptionError extends WaypostError {
}

declare class Emitter<Events extends Record<string, any>> extends EventTarget {
    /**
     * Listen to the `detail` of one kind of event.
     * @template {keyof Events & string} Type
     * @param {Type} type
     * @param {(detail: Events[Type]) => void} listener
     * @returns {() => void} stops listening
     */
    on<Type extends keyof Events & string>(type: Type, listener: (detail: Events[Type]) => void): () => void;
    /**
     * @template {keyof Events & string} Type
     * @param {Type} type
     * @param {Events[Type]} detail
     */
    emit<Type extends keyof Events & string>(type: Type, detail: Events[Type]): void;
}

export type ForkedFrom = {
    threadId: string;
    messageId?: string;
};

/** A guest of one session. */
export declare class Guest {
    #private;
    code: string;
    /**
     * @param {string} code
     * @param {{ baseUrl?: string, token?: string, key?: string }} [options] `key`: of an encrypted session. With it, nothing
     *   is sent in the clear, and no answer in the clear is believed
     */
    constructor(code: string, { baseUrl, token, key }?: {
        baseUrl?: string;
        token?: string;
        key?: string;
    });
    /** Whether it has a key. */
    get encrypted(): boolean;
    /** What the session is now, and the tools it has. @returns {Promise<SessionInfo>} */
    session(): Promise<SessionInfo>;
    /**
     * Call a tool. Whatever happens to the network on the way, it runs once.
     *
     * Rejects with `ToolError` (the tool's own error), `CallTimeout`, `ApiError` (the server refuses), `DecryptionError`, or
     * the signal's reason.
     * @param {string} tool
     * @param {Record<string, unknown>} [args]
     * @param {CallOptions} [options]
     * @returns {Promise<any>} the tool's result
     */
    call(tool: string, args?: Record<string, unknown>, { id, timeout, signal, onProgress }?: CallOptions): Promise<any>;
    /**
     * Take a request back. One that has been answered meanwhile, or whose session is over, needs no taking back.
     * @param {string} id
     */
    cancel(id: string): Promise<void>;
}

/**
 * Offers the tools of this tab and answers the requests for them.
 * @extends {Emitter<HostEvents>}
 */
export declare class Host extends Emitter<HostEvents> {
    #private;
    /**
     * @param {Session} session
     * @param {object} [options]
     * @param {Storage | null} [options.storage] where answers and approvals are remembered across a reload
     * @param {Approver} [options.approve] decides on each call of a tool that does not say of itself that it only reads; by
     *   default there is nobody to ask, and every call is run: whoever registered the tool has decided that
     */
    constructor(session: Session, { storage, approve }?: {
        storage?: Storage | null;
        approve?: Approver;
    });
    get session(): Session;
    /** The last `state` event. */
    get state(): StreamState;
    /**
     * Offer a tool; one with the same name is replaced. While connected, guests are told.
     * @param {ToolDefinition} definition
     * @param {ToolHandler} handler what it returns is the result; what it throws becomes an error answer
     * @param {ToolOptions} [options]
     */
    tool(definition: ToolDefinition, handler: ToolHandler, { approve }?: ToolOptions): this;
    /** Whether a call of this tool waits for a decision. @param {string} name */
    needsApproval(name: string): boolean;
    /**
     * From now on, have calls of this tool wait for a decision, or run them without one: as long as the session and this tab
     * last.
     * @param {string} name
     * @param {boolean} [isRequired]
     */
    requireApproval(name: string, isRequired?: boolean): void;
    /**
     * Publish the tools and listen, until `close()` or the session's end; reconnects by itself.
     * @returns {Promise<void>} settles at the first connection; rejects if the session is over before there is one
     */
    connect(): Promise<void>;
    /** While waiting to reconnect: try now. */
    retry(): void;
    /** Stop listening, without ending the session: requests wait for the next `Host`. */
    close(): void;
    /** End the session for everybody, and forget what was remembered of it. */
    end(): Promise<void>;
}

export type HostEvents = {
    state: StreamState;
    /**
     * a request has come; `replay`: one that was sent before; `repeat`: it is not run again
     */
    request: RequestDetail;
    /**
     * an answer or progress was given (not yet: delivered)
     */
    response: ResponseDetail;
    /**
     * the server has acknowledged the answer
     */
    delivered: {
        id: string;
    };
    /**
     * the guest has taken a request back
     */
    cancel: {
        id: string;
    };
    /**
     * somebody has decided on a call
     */
    approval: {
        id: string;
        tool: string;
        decision: Decision;
    };
    /**
     * the session changed, was extended
     */
    session: any;
    /**
     * messages were missed
     */
    gap: {
        reason: string;
        after?: string;
        producer?: string;
        seq?: number;
    };
    /**
     * something failed; unless it says otherwise, it will be tried again
     */
    error: {
        error: unknown;
    };
};

declare class Http {
    #private;
    baseUrl: string;
    /**
     * @param {string} baseUrl
     * @param {string} [token] sent as a header: a URL ends up in logs and histories
     */
    constructor(baseUrl: string, token?: string);
    /**
     * The JSON of a successful reply (undefined if it has none).
     * @param {string} method
     * @param {string} path
     * @param {RequestOptions} [options]
     * @returns {Promise<{ status: number, data: any }>}
     */
    json(method: string, path: string, options?: RequestOptions): Promise<{
        status: number;
        data: any;
    }>;
    /**
     * The text of a successful reply.
     * @param {string} method
     * @param {string} path
     * @param {RequestOptions} [options]
     * @returns {Promise<string>}
     */
    text(method: string, path: string, options?: RequestOptions): Promise<string>;
    /**
     * A successful reply whose body is still to be read; `timeoutMs` bounds that too.
     * @param {string} method
     * @param {string} path
     * @param {RequestOptions} [options]
     */
    open(method: string, path: string, { body, query, headers, signal, timeoutMs, keepalive }?: RequestOptions): Promise<Response>;
}

export type PageInfo = {
    intentId: string;
    title: string;
    etag: string;
    /**
     * bytes
     */
    size: number;
    updatedAt: string;
    expiresAt: string;
};

export declare class Pages {
    #private;
    sessionId: string;
    /**
     * @param {string} sessionId of the thread or conversation that they belong to
     * @param {{ baseUrl?: string }} [options]
     */
    constructor(sessionId: string, { baseUrl }?: {
        baseUrl?: string;
    });
    /** @returns {Promise<PageInfo[]>} */
    list(): Promise<PageInfo[]>;
    /**
     * Put a page, or another version of it.
     * @param {{ html: string, title?: string, intentId?: string }} page
     * @returns {Promise<PageInfo & { url: string }>}
     */
    put({ html, title, intentId }: {
        html: string;
        title?: string;
        intentId?: string;
    }): Promise<PageInfo & {
        url: string;
    }>;
    /** @param {string} intentId */
    delete(intentId: string): Promise<void>;
    /** Where the page is shown, in a sandbox. @param {string} intentId */
    url(intentId: string): string;
}

export type RequestDetail = {
    id: string;
    tool: string;
    args: any;
    replay: boolean;
    repeat: boolean;
};

export type RequestOptions = {
    /**
     * sent as JSON
     */
    body?: unknown;
    /**
     * undefined values are left out
     */
    query?: Record<string, string | number | undefined>;
    headers?: Record<string, string>;
    signal?: AbortSignal;
    /**
     * 0: none
     */
    timeoutMs?: number;
    /**
     * let the request outlive the page
     */
    keepalive?: boolean;
};

export type ResponseDetail = {
    id: string;
    tool?: string;
    result?: unknown;
    error?: AnswerError;
    final: boolean;
    durationMs?: number;
    repeat?: boolean;
};

export type SendOptions = {
    /**
     * the message's own id: sent twice, it is kept once
     */
    messageId?: string;
    /**
     * stop an answer that is running instead of being refused
     */
    interrupt?: boolean;
    /**
     * the thread's, from now on
     */
    metadata?: Record<string, string>;
    /**
     * stops listening; the answer goes on for a while and is kept (`stop()` stops it)
     */
    signal?: AbortSignal;
};

export type Server = {
    baseUrl?: string;
    appKey?: string;
    signal?: AbortSignal;
};

/** A session, in the hands of its host. */
export declare class Session {
    #private;
    /** @param {SessionRecord} record */
    constructor(record: SessionRecord);
    get baseUrl(): string;
    get code(): string;
    get hostToken(): string;
    /** What the server can't read without; undefined: the session is not encrypted. */
    get key(): string | undefined;
    /** What to give to a guest: it carries the code and, after a `#`, which is sent to no server, the key. */
    get link(): string;
    /** The id for `Pages` and documents that this session's guests are to see as MCP resources; a secret. */
    get sessionId(): string | undefined;
    get label(): string | undefined;
    get data(): unknown;
    /** @returns {Date} */
    get createdAt(): Date;
    /** When it ends unless it is extended, as far as this tab has heard. @returns {Date} */
    get expiresAt(): Date;
    /** The name under which a tab remembers what it did for it: no server can choose it. */
    get memory(): string;
    /** Whether this tab has heard that it is over. */
    get isOver(): boolean;
    /** Requests with the host's rights. */
    get http(): Http;
    /**
     * Take over what the server said about it.
     * @param {{ expiresAt?: string }} news
     */
    update({ expiresAt }: {
        expiresAt?: string;
    }): void;
    /** A new full time to live. An open host stream does that by itself. */
    extend(): Promise<Date>;
    /** End it for everybody. */
    end(): Promise<void>;
    /**
     * It is over: neither `save()` nor `restore()` brings it back. A `Host` says so as soon as it hears it.
     * @param {Storage | null} [storage] where it may have been kept, besides the tab's own
     */
    markOver(storage?: Storage | null): void;
    /** @returns {SessionRecord} */
    toJSON(): SessionRecord;
    /**
     * Keep it for a reload of this tab, unless it is over.
     * @param {Storage | null} [storage]
     */
    save(storage?: Storage | null): void;
    /**
     * The session this tab had before it was reloaded, unless it is over. An encrypted one comes back only with what the
     * tab remembers of it: without that, requests could run again.
     * @param {Storage | null} [storage]
     * @returns {Session | null}
     */
    static restore(storage?: Storage | null): Session | null;
    /** @param {Storage | null} [storage] */
    static forget(storage?: Storage | null): void;
}

export type SessionInfo = {
    code: string;
    createdAt: string;
    expiresAt: string;
    active: boolean;
    label: string | null;
    data: any;
    /**
     * whether the tab is there now
     */
    hostOnline: boolean;
    hostSeenAt: string | null;
    tools: ToolDefinition[];
    /**
     * whether the tab says that it takes encrypted calls alone; nothing proves it
     */
    encrypted: boolean;
};

export type SessionRecord = {
    baseUrl: string;
    /**
     * what a guest needs
     */
    code: string;
    /**
     * what makes its holder the host: never show it
     */
    hostToken: string;
    /**
     * owns its documents and pages, which guests see as resources: never show it
     */
    sessionId?: string;
    createdAt: string;
    expiresAt: string;
    label?: string;
    data?: unknown;
    /**
     * what this tab alone calls it; the server never hears that
     */
    tabId?: string;
    /**
     * of an encrypted session: what guests need besides the code, and the server must not have
     */
    key?: string;
};

export type SseEvent = {
    type: string;
    data: string;
    lastEventId: string;
};

/** One stream's parser: feed it chunks cut anywhere, get the events that they complete. */
export declare class SseParser {
    #private;
    /** What to send as Last-Event-ID after the connection broke. */
    lastEventId: string;
    /** The reconnection time the server asked for, if it did. @type {number | null} */
    retryMs: number | null;
    /**
     * @param {Uint8Array} chunk
     * @returns {SseEvent[]}
     */
    feed(chunk: Uint8Array): SseEvent[];
}

export type StreamState = {
    state: "connecting" | "online" | "waiting" | "offline" | "ended";
    delayMs?: number;
    reason?: string;
    error?: WaypostError;
};

export type Thread = {
    threadId: string;
    resourceId: string;
    /**
     * what owns its history, documents and pages: keep it to yourself
     */
    sessionId: string;
    createdAt: string;
    updatedAt: string;
    metadata?: Record<string, any>;
    forkedFrom?: ForkedFrom;
    agent?: string;
};

export type ThreadQuery = {
    limit?: number;
    /**
     * of the page before
     */
    cursor?: string;
    /**
     * only threads that have these
     */
    metadata?: Record<string, string>;
};

export type ToolContext = {
    /**
     * the request's
     */
    id: string;
    /**
     * aborted when the request is cancelled or the session ends: stop, nobody waits
     */
    signal: AbortSignal;
    /**
     * this request was already begun before the page was reloaded; its effects may be there
     */
    restarted: boolean;
    /**
     * tell the guest how far it is; any JSON
     */
    progress: (value: unknown) => void;
};

export type ToolDefinition = {
    name: string;
    title?: string;
    description?: string;
    /**
     * JSON Schema of the arguments
     */
    inputSchema?: Record<string, unknown>;
    outputSchema?: Record<string, unknown>;
    /**
     * hints such as `readOnlyHint`
     */
    annotations?: Record<string, unknown>;
    _meta?: Record<string, unknown>;
};

/** The tool answered, with an error. */
export declare class ToolError extends WaypostError {
    data: unknown;
    /** Whether it is proven that the tab said so. Only an encrypted session can; the server's own word never is. */
    authenticated: boolean;
    /**
     * @param {string} code
     * @param {string} message
     * @param {unknown} [data]
     * @param {{ authenticated?: boolean }} [more]
     */
    constructor(code: string, message: string, data?: unknown, { authenticated }?: {
        authenticated?: boolean;
    });
}

export type ToolHandler = (args: any, context: ToolContext) => unknown;

export type ToolOptions = {
    /**
     * whether each call waits for a decision of the host's approver, or of this one;
     * by default where the host has an approver and the tool does not say of itself that it only reads (`readOnlyHint`)
     */
    approve?: boolean | Approver;
};

/** There was no reply that could be read: whether the server did what was asked is not known. */
export declare class TransportError extends WaypostError {
    /**
     * @param {string} message
     * @param {ErrorOptions} [options]
     */
    constructor(message: string, options?: ErrorOptions);
}

export type VoiceReply = {
    response: string;
    sessionId: string;
    /**
     * messages that are remembered now
     */
    messageCount: number;
};

/** The base of them all. `code` is a stable word to branch on; `message` is for people. */
export declare class WaypostError extends Error {
    code: string;
    /**
     * @param {string} code
     * @param {string} message
     * @param {ErrorOptions} [options]
     */
    constructor(code: string, message: string, options?: ErrorOptions);
}

/** Whether this page may encrypt: browsers let pages do so that came over HTTPS or from this machine. */
export declare function canEncrypt(): boolean;

/**
 * Begin anew: the next `getSessionId()` gives an id without a past.
 * @param {Storage | null} [storage]
 */
export declare function clearSessionId(storage?: Storage | null): void;

/**
 * Open a session.
 * @param {object} [options]
 * @param {string} [options.baseUrl] the server; by default the one this module came from
 * @param {number} [options.ttl] seconds it lives unless it is extended
 * @param {string} [options.label] shown to guests
 * @param {unknown} [options.data] any JSON, shown to guests
 * @param {boolean} [options.encrypted] keep arguments and answers from the server; guests then need `session.link`
 * @returns {Promise<Session>}
 */
export declare function createSession({ baseUrl, ttl, label, data, encrypted }?: {
    baseUrl?: string;
    ttl?: number;
    label?: string;
    data?: unknown;
    encrypted?: boolean;
}): Promise<Session>;

/**
 * Forget a thread and its history. Its forks live on.
 * @param {string} resourceId
 * @param {string} threadId
 * @param {Server} [server]
 * @returns {Promise<boolean>} whether there was one
 */
export declare function deleteThread(resourceId: string, threadId: string, { baseUrl, appKey, signal }?: Server): Promise<boolean>;

/**
 * This tab's id: the same after a reload, another one in another tab. A tab that is duplicated takes it along.
 * @param {Storage | null} [storage]
 * @returns {string}
 */
export declare function getSessionId(storage?: Storage | null): string;

/**
 * Become the guest of a session.
 * @param {string} invite its code, or its whole link, which names the server and carries the key of an encrypted session
 * @param {{ baseUrl?: string, key?: string }} [options] what is given here comes before what the link says
 * @returns {Promise<Guest>} rejects with `ApiError` if there is no such session
 */
export declare function joinSession(invite: string, options?: {
    baseUrl?: string;
    key?: string;
}): Promise<Guest>;

/**
 * One page of the threads, the one used last first.
 * @param {string} resourceId
 * @param {ThreadQuery & Server} [options]
 * @returns {Promise<{ sessions: Thread[], count: number, cursor?: string }>} without `cursor`: the last page
 */
export declare function listThreads(resourceId: string, { limit, cursor, metadata, baseUrl, appKey, signal }?: ThreadQuery & Server): Promise<{
    sessions: Thread[];
    count: number;
    cursor?: string;
}>;

/**
 * Ask. Not repeated by itself: a question that was lost on the way may have been answered and remembered.
 * @param {string} question
 * @param {{ sessionId?: string, baseUrl?: string, signal?: AbortSignal }} [options] `sessionId`: this tab's, by default
 * @returns {Promise<VoiceReply>} rejects with `ApiError` or `TransportError`
 */
export declare function voice(question: string, { sessionId, baseUrl, signal }?: {
    sessionId?: string;
    baseUrl?: string;
    signal?: AbortSignal;
}): Promise<VoiceReply>;

export {};
