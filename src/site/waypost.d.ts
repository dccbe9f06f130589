/**
 * The types of waypost.js. Generated from its JSDoc by tests/client/types.mjs: do not edit.
 */

export type AnswerError = {
    code: string;
    message: string;
    data?: unknown;
};

/** The server refused the request: its status is no success. Its body is usually a problem document (RFC 9457). */
export declare class ApiError extends WaypostError {
    status: number;
    /** The server's Retry-After in milliseconds; 0 if it sent none. */
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
    /** Whether the session is gone or access is denied, so that sending again cannot help. */
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
     * this tab may have received it before, for example before a reload
     */
    replay: boolean;
    /**
     * it was approved and begun before the page was reloaded; its effects may be there
     */
    restarted: boolean;
    /**
     * aborted when no decision is needed any more: close the question
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
     * cancels the request
     */
    signal?: AbortSignal;
    onProgress?: (value: any) => void;
};

/** No answer came within `timeout`. The request stays open: calling again with this `id` continues to wait. */
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
    /** The secret id that owns its history, documents and pages. Null until it is known. */
    get sessionId(): string | null;
    /**
     * Sends a message and streams the answer. The message is sent when the first event is requested. If the connection
     * breaks, the stream resumes without losing or repeating a character.
     *
     * The first event rejects with `ApiError` if the server refuses (409 `answer_running`: another answer is not
     * finished), and with `TransportError` if no response came: the message may have arrived. If the model fails, there is
     * an event `error`; with `partial: false` neither message nor answer was stored.
     * @param {string} message
     * @param {SendOptions} [options]
     * @returns {AsyncGenerator<ChatEvent, void, void>}
     */
    send(message: string, { messageId, replace, interrupt, metadata, session, signal }?: SendOptions): AsyncGenerator<ChatEvent, void, void>;
    /**
     * Streams the answer that is running in this thread, from its beginning; null if there is none.
     * @param {{ signal?: AbortSignal }} [options]
     * @returns {Promise<AsyncGenerator<ChatEvent, void, void> | null>}
     */
    resume({ signal }?: {
        signal?: AbortSignal;
    }): Promise<AsyncGenerator<ChatEvent, void, void> | null>;
    /**
     * Stops the running answer for all listeners; its text so far is stored. If this chat heard an answer start, only that
     * answer is stopped.
     * @returns {Promise<{ stopped: boolean, generationId: string | null }>}
     */
    stop(): Promise<{
        stopped: boolean;
        generationId: string | null;
    }>;
    /**
     * Reads the stored messages: all of them, or a page.
     * @param {HistoryQuery} [query]
     * @returns {Promise<ChatHistory>} rejects with `ApiError` `message_not_found` if `before` is not kept any more
     */
    history({ limit, before, signal }?: HistoryQuery): Promise<ChatHistory>;
    /**
     * Deletes one message; the others stay, and the model is shown them without it. Succeeds also if there is none.
     * @param {string} messageId
     */
    deleteMessage(messageId: string): Promise<void>;
    /**
     * Starts another thread with this one's history: all of it, or up to a message. This thread does not change.
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
     * The stored messages, as text for a file.
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
    finishReason: "stop" | "tool-calls" | "stopped" | "length" | "error" | "unknown";
    partial: boolean;
    messageCount: number;
};

export type ChatError = {
    type: "error";
    code: string;
    message: string;
    partial: boolean;
    retryAfter?: number;
};

export type ChatEvent = ChatStart | ChatReasoning | ChatDelta | ChatToolEvent | ChatError | ChatDone | ChatWaiting;

export type ChatHistory = {
    /**
     * null: the thread has no messages yet
     */
    sessionId: string | null;
    /**
     * the last ones, oldest first
     */
    messages: ChatMessage[];
    /**
     * older messages were cut off, and are not kept
     */
    truncated: boolean;
    /**
     * there are older messages that are kept: `history({ before })` reads them
     */
    before?: string;
    forkedFrom?: ForkedFrom;
};

export type ChatMessage = {
    id: string;
    role: "user" | "assistant" | "system" | "tool";
    content: any;
    timestamp: string;
    /**
     * what the model thought before its answer
     */
    reasoning?: string;
    /**
     * the tool calls of an answer, in order, with their places in its text
     */
    toolEvents?: ToolEvent[];
    /**
     * the answer is incomplete, or still running
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
     * if known from a list of threads: saves a look-up before reading the history
     */
    sessionId?: string;
    /**
     * the server; by default the one this module came from
     */
    baseUrl?: string;
};

export type ChatReasoning = {
    type: "reasoning";
    text: string;
    characters: number;
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

export type ChatToolCall = {
    type: "tool_call";
    id: string;
    name: string;
    arguments: any;
    step: number;
};

export type ChatToolEvent = ChatToolCall | ChatToolProgress | ChatToolResult;

export type ChatToolProgress = {
    type: "tool_progress";
    id: string;
    progress: any;
};

export type ChatToolResult = {
    type: "tool_result";
    id: string;
    result: any;
    isError: boolean;
};

export type ChatWaiting = {
    type: "waiting";
    delayMs: number;
    error: Error;
};

export type Decision = "once" | "always" | "refuse";

/**
 * A message of an encrypted session could not be authenticated: it was changed on the way, sent unencrypted, or encrypted
 * with another key. It is unknown whether the tool ran.
 */
export declare class DecryptionError extends WaypostError {
}

export type DeletedResource = {
    deleted: number;
    visibleUntil: string;
};

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

export type ExportLine = {
    kind: "thread";
    thread: Thread;
} | {
    kind: "conversation";
    threadId: string;
    conversation: ChatHistory;
} | (OwnedVersion & {
    kind: "document";
    type: "doc" | "intents" | "theme";
    name: string;
    content: any;
}) | (OwnedVersion & {
    kind: "page";
    intentId: string;
    title: string;
    html: string;
}) | {
    kind: "more";
    cursor: string;
} | {
    kind: "end";
    resourceId: string;
    completeUntil: string;
};

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
     *   is sent unencrypted, and no unencrypted answer is accepted
     */
    constructor(code: string, { baseUrl, token, key }?: {
        baseUrl?: string;
        token?: string;
        key?: string;
    });
    /** Whether this guest encrypts, because it has a key. */
    get encrypted(): boolean;
    /** Reads the session and its tools. @returns {Promise<SessionInfo>} */
    session(): Promise<SessionInfo>;
    /**
     * Calls a tool. It runs at most once, however often the network fails on the way.
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
     * Cancels a request. Succeeds also if the request is already answered or its session is over.
     * @param {string} id
     */
    cancel(id: string): Promise<void>;
}

export type HeldLock = {
    isHeld: boolean;
    release: () => void;
};

export type HistoryQuery = {
    /**
     * how many messages at most; more if the oldest of them belong together
     */
    limit?: number;
    /**
     * only messages before this one: the `before` of the page that was read last
     */
    before?: string;
    signal?: AbortSignal;
};

/**
 * Offers the tools of this tab and answers the requests for them.
 * @extends {Emitter<HostEvents>}
 */
export declare class Host extends Emitter<HostEvents> {
    #private;
    /**
     * @param {Session} session
     * @param {object} [options]
     * @param {StateStorage | null} [options.storage] where answers and approvals are kept across a reload
     * @param {Approver} [options.approve] decides on each call of a tool without `readOnlyHint`; by
     *   default there is no approver, and every call runs: registering the tool allowed it
     */
    constructor(session: Session, { storage, approve }?: {
        storage?: StateStorage | null;
        approve?: Approver;
    });
    get session(): Session;
    /** The last `state` event. */
    get state(): StreamState;
    /**
     * Offers a tool, in place of one with the same name. While connected, guests are notified. Throws `WaypostError` for a tool that
     * clients could not read; the others stay.
     * @param {ToolDefinition} definition
     * @param {ToolHandler} handler what it returns is the result: any JSON of at most 8 MiB (6 MiB if the session is encrypted), or
     *   a Blob with an image or a sound, which becomes a content block of MCP. What it throws becomes an error answer
     * @param {ToolOptions} [options]
     */
    tool(definition: ToolDefinition, handler: ToolHandler, { approve }?: ToolOptions): this;
    /**
     * Withdraws a tool. A call that is running is not stopped. While connected, guests are notified.
     * @param {string} name
     * @returns {boolean} whether there was one
     */
    removeTool(name: string): boolean;
    /**
     * Offers the tools that the page has registered with the browser (WebMCP), and follows their changes, until `stop()` of what
     * it returns, `close()` or the end of the session. A tool of this host with the same name stays. A tool that can't be
     * offered is reported as an `error` event. Tools that a page registered before are found where the browser has a list.
     * @returns {WebMcp}
     */
    webmcp(): WebMcp;
    /** Whether a call of this tool waits for a decision. @param {string} name */
    needsApproval(name: string): boolean;
    /**
     * Sets whether calls of this tool wait for a decision, for as long as the session and this tab last.
     * @param {string} name
     * @param {boolean} [isRequired]
     */
    requireApproval(name: string, isRequired?: boolean): void;
    /**
     * Publishes the tools and listens, until `close()` or the session's end. Reconnects automatically. While another page of
     * this browser is the session's host, the state is `elsewhere`, and this page takes over when that one closes.
     * @returns {Promise<void>} resolves at the first connection; rejects if the session ends before
     */
    connect(): Promise<void>;
    /** Reconnects now instead of waiting for the next attempt. */
    retry(): void;
    /**
     * Becomes the host again in the state `superseded`, or in place of the other page in the state `elsewhere`. The other
     * one is superseded; what it is running goes on to its end.
     */
    takeOver(): void;
    /**
     * Stops listening without ending the session: requests wait for the next `Host`.
     * @returns {Promise<void>} resolves when the server knows; a process should not exit before
     */
    close(): Promise<void>;
    /** Ends the session for the host and all guests, and deletes its stored state. */
    end(): Promise<void>;
}

export type HostEvents = {
    state: StreamState;
    /**
     * a request arrived; `replay`: it was sent before; `repeat`: it does not run again
     */
    request: RequestDetail;
    /**
     * an answer or a progress report was produced, but not yet delivered
     */
    response: ResponseDetail;
    /**
     * the server has acknowledged the answer
     */
    delivered: {
        id: string;
    };
    /**
     * the guest has cancelled a request
     */
    cancel: {
        id: string;
    };
    /**
     * a call was allowed or refused
     */
    approval: {
        id: string;
        tool: string;
        decision: Decision;
    };
    /**
     * the session changed, for example it was extended
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
     * something failed; it is retried unless the error says otherwise
     */
    error: {
        error: unknown;
    };
};

declare class Http {
    #private;
    baseUrl: string;
    /**
     * @param {string} baseUrl throws `WaypostError` `invalid_base_url` for what is no absolute URL
     * @param {string} [token] sent as a header: a URL ends up in logs and histories
     */
    constructor(baseUrl: string, token?: string);
    /**
     * Sends a request and parses the JSON of the response; `data` is undefined for an empty body.
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
     * Sends a request and returns the text of the response.
     * @param {string} method
     * @param {string} path
     * @param {RequestOptions} [options]
     * @returns {Promise<string>}
     */
    text(method: string, path: string, options?: RequestOptions): Promise<string>;
    /**
     * Sends a request and returns the successful response with its body unread. `timeoutMs` covers reading the body too.
     * @param {string} method
     * @param {string} path
     * @param {RequestOptions} [options]
     */
    open(method: string, path: string, { signal, timeoutMs, ...options }?: RequestOptions): Promise<Response>;
}

export type Locks = {
    request: (name: string, options: {
        signal: AbortSignal;
    }, hold: () => Promise<unknown>) => Promise<unknown>;
};

export type Offers = {
    /**
     * throws for a bad definition
     */
    offer: (definition: ToolDefinition, handler: (args: any, context: ToolContext) => unknown) => Tool;
    find: (name: string) => Tool | undefined;
    withdraw: (name: string) => void;
    fail: (error: unknown) => void;
};

export type OwnedVersion = {
    threadId: string;
    etag: string;
    updatedAt: string;
    expiresAt: string;
};

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

export type PageTool = {
    definition: ToolDefinition;
    run: (args: any, context: ToolContext) => unknown;
};

/** @extends {Emitter<{ change: undefined, error: { error: unknown } }>} */
declare class PageTools extends Emitter<{
    change: undefined;
    error: {
        error: unknown;
    };
}> {
    #private;
    constructor();
    /** The tools by name. @returns {Map<string, PageTool>} */
    get tools(): Map<string, PageTool>;
    /** Resolves when every list has been asked after the last change. */
    settled(): Promise<void>;
    /** Stops following, and restores the contexts' functions. */
    stop(): void;
}

export declare class Pages {
    #private;
    sessionId: string;
    /**
     * @param {string} sessionId of the thread or conversation that owns them
     * @param {{ baseUrl?: string }} [options]
     */
    constructor(sessionId: string, { baseUrl }?: {
        baseUrl?: string;
    });
    /** @returns {Promise<PageInfo[]>} */
    list(): Promise<PageInfo[]>;
    /**
     * Stores a page, or a new version of it.
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
    /** The address at which the page is shown, in a sandbox. @param {string} intentId */
    url(intentId: string): string;
}

export type RefusedTool = {
    name: string;
    reason: string;
};

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
     * until the response begins, the time for a large body not included. 0: none
     */
    timeoutMs?: number;
    /**
     * the request may outlive the page
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
     * makes sending idempotent: the same id is stored once
     */
    messageId?: string;
    /**
     * asks the message `messageId` again, with this text: it and all that follows it are replaced. If
     * the model fails before its first word, they are as they were
     */
    replace?: boolean;
    /**
     * stop a running answer instead of being refused with `answer_running`
     */
    interrupt?: boolean;
    /**
     * replaces the thread's metadata
     */
    metadata?: Record<string, string>;
    /**
     * of a tab whose tools the model may call, as a guest does: its
     * code, or a guest's token
     */
    session?: {
        code: string;
    } | {
        token: string;
    };
    /**
     * stops listening; the answer continues on the server and is stored (`stop()` stops it)
     */
    signal?: AbortSignal;
};

export type Server = {
    baseUrl?: string;
    appKey?: string;
    signal?: AbortSignal;
};

/** A session, as its host holds it. */
export declare class Session {
    #private;
    /** @param {SessionRecord} record */
    constructor(record: SessionRecord);
    get baseUrl(): string;
    get code(): string;
    get hostToken(): string;
    /** The encryption key, which the server does not have; undefined if the session is not encrypted. */
    get key(): string | undefined;
    /** The link to give to a guest. It holds the code and the key after a `#`, which browsers send to no server. */
    get link(): string;
    /** The MCP address that it has taken; undefined if it was created without one, or the browser can't keep one. */
    get address(): string | undefined;
    /**
     * The URL to configure an MCP client with: of the address, which leads to the newest session of this browser and stays,
     * or of the code, which ends with the session. MCP clients can't use an encrypted session.
     */
    get mcpUrl(): string;
    /** The id under which `Pages` and documents are stored that guests see as MCP resources; a secret. */
    get sessionId(): string | undefined;
    get label(): string | undefined;
    get data(): unknown;
    /** Whether MCP clients see a tool that is called `cart.add` as `cart_add`: many models take no other names. */
    get mapToolNames(): boolean;
    /** @returns {Date} */
    get createdAt(): Date;
    /** When it expires unless it is extended, as far as this tab knows. @returns {Date} */
    get expiresAt(): Date;
    /** The name of its stored state in this tab, which no server can choose. */
    get memory(): string;
    /** Whether this tab knows that it is over. */
    get isOver(): boolean;
    /** Decides which of several pages with this session is its host. */
    get lock(): SessionLock;
    /** Sends requests with the host's rights. */
    get http(): Http;
    /**
     * Updates it from an event of the server. Anything but an ISO 8601 time is ignored.
     * @param {{ expiresAt?: string }} news
     */
    update({ expiresAt }: {
        expiresAt?: string;
    }): void;
    /** Extends it by its full time to live. An open host stream does this automatically. */
    extend(): Promise<Date>;
    /**
     * Takes the browser's MCP address, also from a newer session: one whose tab was closed, say.
     * @param {StateStorage | null} [storage] where its secret is kept
     * @returns {Promise<string>} the address
     */
    claimAddress(storage?: StateStorage | null): Promise<string>;
    /**
     * Withdraws the browser's MCP address for good, and takes a new one. Clients that are configured with the old one can't
     * reach this browser any more: here immediately, elsewhere within about two minutes. If it rejects, call it again.
     * @param {StateStorage | null} [storage] where its secret is kept
     * @returns {Promise<string>} the new address
     */
    renewAddress(storage?: StateStorage | null): Promise<string>;
    /** Ends it for the host and all guests. */
    end(): Promise<void>;
    /**
     * Marks it as over, so that neither `save()` nor `restore()` brings it back. A `Host` calls this when the session ends.
     * @param {StateStorage | null} [storage] where it may have been saved, besides the tab's own
     */
    markOver(storage?: StateStorage | null): void;
    /** @returns {SessionRecord} */
    toJSON(): SessionRecord;
    /**
     * Saves it for a reload of this tab, unless it is over.
     * @param {StateStorage | null} [storage]
     */
    save(storage?: StateStorage | null): void;
    /**
     * Restores the session that this tab had before a reload; null if there is none or it is over. An encrypted session is
     * restored only with its stored request ids: without them, requests could run again.
     * @param {StateStorage | null} [storage]
     * @returns {Session | null}
     */
    static restore(storage?: StateStorage | null): Session | null;
    /**
     * The same as `restore()`, but null if another page of this browser is the session's host: this tab is a copy of that
     * one, made by "Duplicate tab" for example, and needs a session of its own.
     *
     *     const session = (await Session.claim()) ?? (await createSession());
     * @param {StateStorage | null} [storage]
     * @returns {Promise<Session | null>}
     */
    static claim(storage?: StateStorage | null): Promise<Session | null>;
    /** @param {StateStorage | null} [storage] */
    static forget(storage?: StateStorage | null): void;
}

export type SessionInfo = {
    code: string;
    createdAt: string;
    expiresAt: string;
    active: boolean;
    label: string | null;
    data: any;
    /**
     * whether the tab is connected now
     */
    hostOnline: boolean;
    hostSeenAt: string | null;
    tools: ToolDefinition[];
    /**
     * each guest may read, acknowledge and cancel the requests of all
     */
    guests: "shared";
    /**
     * whether the tab says that it accepts only encrypted calls; not authenticated
     */
    encrypted: boolean;
};

declare class SessionLock {
    #private;
    /**
     * @param {string} name of the session's stored state
     * @param {Locks | undefined} [locks]
     */
    constructor(name: string, locks?: Locks | undefined);
    /**
     * Takes the lock for a host of this page, if no other page keeps it.
     * @returns {Promise<boolean>}
     */
    claim(): Promise<boolean>;
    /**
     * Takes the lock once it is free.
     * @param {AbortSignal} signal
     * @param {() => void} waits called if another page has it
     * @returns {Promise<HeldLock | null>} null: aborted
     */
    acquire(signal: AbortSignal, waits: () => void): Promise<HeldLock | null>;
}

export type SessionRecord = {
    baseUrl: string;
    /**
     * what a guest needs
     */
    code: string;
    /**
     * grants the host's rights: never show it
     */
    hostToken: string;
    /**
     * grants access to its documents and pages, which guests see as MCP resources: never show it
     */
    sessionId?: string;
    createdAt: string;
    expiresAt: string;
    label?: string;
    data?: unknown;
    /**
     * the MCP address that it has taken: a secret, like the code, but one that stays
     */
    address?: string;
    /**
     * false: MCP clients see the tools under their own names
     */
    mapToolNames?: boolean;
    /**
     * the name of its stored state in this tab; never sent to the server
     */
    tabId?: string;
    /**
     * of an encrypted session: guests need it besides the code, and the server must not learn it
     */
    key?: string;
};

export type SseEvent = {
    type: string;
    data: string;
    lastEventId: string;
};

/** The parser of one stream. Feed it chunks cut anywhere; it returns the events that they complete. */
export declare class SseParser {
    #private;
    /** The value to send as Last-Event-ID when reconnecting. */
    lastEventId: string;
    /** The reconnection time that the server asked for; null if none. @type {number | null} */
    retryMs: number | null;
    /**
     * @param {Uint8Array} chunk
     * @returns {SseEvent[]}
     */
    feed(chunk: Uint8Array): SseEvent[];
}

export type StateStorage = {
    getItem: (key: string) => string | null;
    /**
     * throws if there is no room
     */
    setItem: (key: string, value: string) => void;
    removeItem: (key: string) => void;
    /**
     * of one that writes later: resolves when all that was set until now is kept
     */
    written?: () => Promise<void>;
};

export type StreamState = {
    state: "connecting" | "online" | "waiting" | "offline" | "elsewhere" | "superseded" | "ended";
    delayMs?: number;
    since?: Date;
    reason?: string;
    error?: WaypostError;
};

export type Thread = {
    threadId: string;
    resourceId: string;
    /**
     * secret: owns its history, documents and pages
     */
    sessionId: string;
    createdAt: string;
    updatedAt: string;
    metadata?: Record<string, any>;
    forkedFrom?: ForkedFrom;
    agent?: string;
    title?: string;
    archived?: boolean;
};

export type ThreadQuery = {
    limit?: number;
    /**
     * of the previous page
     */
    cursor?: string;
    /**
     * only threads with these values
     */
    metadata?: Record<string, string>;
    /**
     * only threads that are archived, or only those that are not; by default both
     */
    archived?: boolean;
};

export type Tool = {
    definition: ToolDefinition;
    handler: ToolHandler;
    approve?: boolean | Approver;
};

export type ToolContext = {
    /**
     * the request's
     */
    id: string;
    /**
     * aborted when the request is cancelled or the session ends: stop working
     */
    signal: AbortSignal;
    /**
     * this request had started before the page was reloaded, so its effects may already exist
     */
    restarted: boolean;
    /**
     * report progress to the guest; any JSON of at most 250 KiB
     */
    progress: (value: unknown) => void;
    /**
     * the trace of the call, if its caller traces: https://www.w3.org/TR/trace-context/
     */
    traceparent?: string;
    /**
     * what tracing systems add to that
     */
    tracestate?: string;
};

export type ToolDefinition = {
    /**
     * 1 to 128 characters out of A-Z a-z 0-9 _ . / -
     */
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
    /**
     * `taskSupport`
     */
    execution?: Record<string, unknown>;
    icons?: Record<string, unknown>[];
    _meta?: Record<string, unknown>;
};

/** The tool answered with an error. */
export declare class ToolError extends WaypostError {
    data: unknown;
    /** Whether encryption proves that the error comes from the tab; false in a session without encryption. */
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

export type ToolEvent = {
    kind: "call" | "progress" | "result";
    id: string;
    name?: string;
    value?: any;
    isError?: boolean;
    text?: number;
    reasoning?: number;
    step?: number;
};

export type ToolHandler = (args: any, context: ToolContext) => unknown;

export type ToolOptions = {
    /**
     * whether each call waits for a decision of the host's approver, or of this one;
     * by default yes if the host has an approver and the tool has no `readOnlyHint`
     */
    approve?: boolean | Approver;
};

/** No complete response arrived. It is unknown whether the server carried out the request. */
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
     * messages stored now
     */
    messageCount: number;
    /**
     * the time was over before the model had finished
     */
    partial?: boolean;
};

/** The base class. `code` is stable, for programs; `message` is for people. */
export declare class WaypostError extends Error {
    code: string;
    /**
     * @param {string} code
     * @param {string} message
     * @param {ErrorOptions} [options]
     */
    constructor(code: string, message: string, options?: ErrorOptions);
}

/**
 * The page's WebMCP tools as tools of a host. `change`: what is offered is different now.
 * @extends {Emitter<{ change: undefined }>}
 */
declare class WebMcp extends Emitter<{
    change: undefined;
}> {
    #private;
    /**
     * @param {PageTools} page
     * @param {Offers} host
     */
    constructor(page: PageTools, host: Offers);
    /** The tools that are offered. @returns {ToolDefinition[]} */
    get tools(): ToolDefinition[];
    /** The page's tools that can't be offered. The others are. @returns {RefusedTool[]} */
    get refused(): RefusedTool[];
    /** Resolves when the tools that the page has registered until now are offered. */
    ready(): Promise<this>;
    /** Whether `stop()` or the end of the session has ended it. */
    get isStopped(): boolean;
    /** Follows the page's tools no longer; what is offered stays. */
    leave(): void;
    /** Withdraws the page's tools from the host, and follows them no longer. */
    stop(): void;
}

/**
 * Begins a thread without a question, or finds the one of this name, which keeps what it has.
 * @param {string} resourceId
 * @param {string} threadId
 * @param {{ title?: string, metadata?: Record<string, any>, agent?: string } & Server} [options] of a new thread
 * @returns {Promise<Thread>}
 */
export declare function beginThread(resourceId: string, threadId: string, { title, metadata, agent, baseUrl, appKey, signal }?: {
    title?: string;
    metadata?: Record<string, any>;
    agent?: string;
} & Server): Promise<Thread>;

/** Whether this page may encrypt: browsers allow it for pages loaded over HTTPS or from localhost. */
export declare function canEncrypt(): boolean;

/**
 * Renames or archives a thread, or replaces its metadata. That does not count as using it: its place in the list stays.
 * @param {string} resourceId
 * @param {string} threadId
 * @param {{ title?: string, archived?: boolean, metadata?: Record<string, any> }} change what is left out stays
 * @param {Server} [server]
 * @returns {Promise<Thread>} rejects with `ApiError` `thread_not_found` if there is none
 */
export declare function changeThread(resourceId: string, threadId: string, change: {
    title?: string;
    archived?: boolean;
    metadata?: Record<string, any>;
}, { baseUrl, appKey, signal }?: Server): Promise<Thread>;

/**
 * Starts over: the next `getSessionId()` returns a new id without a history.
 * @param {StateStorage | null} [storage]
 */
export declare function clearSessionId(storage?: StateStorage | null): void;

/**
 * Creates a session on the server.
 * @param {object} [options]
 * @param {string} [options.baseUrl] the server; by default the one this module came from
 * @param {number} [options.ttl] seconds it lives unless it is extended
 * @param {string} [options.label] shown to guests
 * @param {unknown} [options.data] any JSON, shown to guests
 * @param {boolean} [options.mapToolNames] offer tools to MCP clients under names that all models take: `cart.add` as `cart_add`
 * @param {boolean} [options.address] take this browser's MCP address, so that MCP clients find each new session at the same
 *   `session.mcpUrl`. Without a storage that keeps it, the session has no address. An encrypted session can't have one
 * @param {StateStorage | null} [options.storage] where the secret of the address is kept; by default localStorage
 * @param {boolean} [options.encrypted] encrypt arguments and answers end to end; guests then need `session.link`
 * @returns {Promise<Session>}
 */
export declare function createSession({ baseUrl, ttl, label, data, mapToolNames, address, storage, encrypted, }?: {
    baseUrl?: string;
    ttl?: number;
    label?: string;
    data?: unknown;
    mapToolNames?: boolean;
    address?: boolean;
    storage?: StateStorage | null;
    encrypted?: boolean;
}): Promise<Session>;

/**
 * Deletes all threads of a resource with their histories, documents and pages. If it rejects, call it again: it goes on.
 * @param {string} resourceId
 * @param {Server} [server]
 * @returns {Promise<DeletedResource>} `deleted`: threads
 */
export declare function deleteResource(resourceId: string, { baseUrl, appKey, signal }?: Server): Promise<DeletedResource>;

/**
 * Deletes a thread with its history, its documents and its pages. Its forks are kept.
 * @param {string} resourceId
 * @param {string} threadId
 * @param {Server} [server]
 * @returns {Promise<boolean>} whether there was one
 */
export declare function deleteThread(resourceId: string, threadId: string, { baseUrl, appKey, signal }?: Server): Promise<boolean>;

/**
 * Exports all threads of a resource with their histories, documents and pages, line by line.
 * @param {string} resourceId
 * @param {{ cursor?: string } & Server} [options] `cursor`: of a line `more`, where an export broke off
 * @returns {AsyncGenerator<ExportLine, void, void>}
 */
export declare function exportResource(resourceId: string, { cursor, baseUrl, appKey, signal }?: {
    cursor?: string;
} & Server): AsyncGenerator<ExportLine, void, void>;

/**
 * This tab's id: the same after a reload, different in each tab. Duplicating a tab copies it.
 * @param {StateStorage | null} [storage]
 * @returns {string}
 */
export declare function getSessionId(storage?: StateStorage | null): string;

/**
 * Joins a session as a guest.
 * @param {string} invite its code, or its whole link, which names the server and carries the key of an encrypted session
 * @param {{ baseUrl?: string, key?: string }} [options] these take precedence over the link
 * @returns {Promise<Guest>} rejects with `ApiError` if there is no such session
 */
export declare function joinSession(invite: string, options?: {
    baseUrl?: string;
    key?: string;
}): Promise<Guest>;

/**
 * Lists one page of the threads, most recently used first.
 * @param {string} resourceId
 * @param {ThreadQuery & Server} [options]
 * @returns {Promise<{ sessions: Thread[], count: number, cursor?: string }>} without `cursor`: the last page
 */
export declare function listThreads(resourceId: string, options?: ThreadQuery & Server): Promise<{
    sessions: Thread[];
    count: number;
    cursor?: string;
}>;

/**
 * Reads a thread; null if there is none.
 * @param {string} resourceId
 * @param {string} threadId
 * @param {Server} [server]
 * @returns {Promise<Thread | null>}
 */
export declare function readThread(resourceId: string, threadId: string, { baseUrl, appKey, signal }?: Server): Promise<Thread | null>;

/**
 * Asks a question. Not retried: if the connection fails, the question may already have been answered and stored.
 * @param {string} question
 * @param {{ sessionId?: string, session?: { code: string } | { token: string }, baseUrl?: string, signal?: AbortSignal }} [options]
 *   `sessionId`: of the conversation, this tab's by default. `session`: the tab whose tools the model may use.
 * @returns {Promise<VoiceReply>} rejects with `ApiError` or `TransportError`
 */
export declare function voice(question: string, { sessionId, session, baseUrl, signal }?: {
    sessionId?: string;
    session?: {
        code: string;
    } | {
        token: string;
    };
    baseUrl?: string;
    signal?: AbortSignal;
}): Promise<VoiceReply>;

export {};
