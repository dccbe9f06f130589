"""Every limit of the service on input, storage and time: the unit is in its name, the harm that it prevents beside it.

Here is what a client, a deployer or two packages depend on, and what bounds the memory of an isolate. Elsewhere stand:
what a deployment chooses (settings.py, polling/plans.py, wrangler.toml), and numbers that tune one algorithm and that
nothing outside of its module can observe as a limit (delays of a backoff, intervals of a loop), beside that algorithm.
"""

MAX_BODY_BYTES = 256 * 1024
"""A request's body. Larger ones would let one caller fill an isolate's 128 MB."""

MAX_RESULT_BYTES = 8 * 1024 * 1024
"""A tool's result as JSON without white space: a screenshot has 300 KiB to 2 MiB, a whole page's text rarely more. It
is passed on without being decoded, so it takes three times its bytes while it is stored, and about as much to send."""

MAX_RESPONSE_BODY_BYTES = MAX_RESULT_BYTES + 4 * 1024
"""A request's body with such a result. Only a host's token admits a body over `MAX_BODY_BYTES`."""

MAX_CHAT_BODY_BYTES = 8 * 1024 * 1024
"""A question's body. The AI SDK sends the whole thread with each question; only the last message of it is decoded."""

MAX_IMAGE_BYTES = 4 * 1024 * 1024
"""The images of one message, as `data:` URLs; those of a conversation that are kept, and those of a prompt: the newest.
Base64 makes 4 MiB of 3 MiB. All images of a conversation may be in one reply, which takes four times as much."""

MAX_TEXT_PART_BYTES = 1024 * 1024
"""The text of a message that is asked, as JSON: `MAX_CHAT_MESSAGE_LENGTH` with every character escaped."""

MAX_QUESTION_BYTES = MAX_TEXT_PART_BYTES + MAX_IMAGE_BYTES
"""The JSON of one message that is asked."""

MIN_APART_BYTES = 16 * 1024
"""An image's `data:` URL from which on it is stored apart from its message; a smaller one counts as text. So the images
of a conversation have at most 256 keys."""

MAX_QUESTION_MARKS = 100_000
"""Brackets, commas and quotes at the end of a thread that the AI SDK sends, among which its last question is sought."""

MAX_DECODED_BODY_BYTES = 6 * 1024 * 1024
"""A request's body that is decoded whole; larger ones are passed on as they are."""

MAX_CONTENT_OBJECTS = 32 * 1024
"""Objects in a result that are looked at as MCP's content blocks: decoded, each takes some 200 bytes. A result with
more is passed on as plain JSON."""

MAX_PAGE_BYTES = 1024 * 1024
"""The HTML of a page, as UTF-8."""

MAX_PAGE_BODY_BYTES = 2 * MAX_PAGE_BYTES
"""A request's body that contains a page: encoded as JSON, a page may become longer."""

MAX_PAGE_TITLE_LENGTH = 200
"""Characters of a page's title, which is stored beside it and listed."""

MAX_DOCUMENTS = 100
"""Named documents of a session, and pages of a session: a fork copies all documents, a list returns all of either."""

MAX_JSON_DEPTH = 128
"""Levels of arrays and objects in a body: the recipient's JSON parser must be able to read what a sender nests."""

MAX_JSON_NAMES = 16 * 1024
"""Names in the objects of a body, in total. Isolates that start from one snapshot share their hash seed, so an attacker
could search for names whose hashes collide; each of those is compared with all before it."""

MAX_JSON_ELEMENTS = 32 * 1024
"""Elements in the arrays of a body, in total: an empty array takes 3 bytes on the wire and some 60 in Python. A body of
256 KiB reaches it only with elements of less than 8 bytes on average."""

MAX_PATH_BYTES = 2048
"""The path. The longest valid one has 400 bytes, with every character of its ids percent-encoded."""

MAX_QUERY_BYTES = 4096
"""The query string, which is parsed in Python; a longer one is an attack or a mistake."""

MAX_QUERY_PARAMETERS = 100
"""Query parameters: more than a list can have filters by metadata. Each is decoded in Python."""

MAX_HEADER_LENGTH = 4096
"""Characters of a header field that is read: five times the longest value that this service issues and gets back, a
Last-Event-ID with the numbers of 8 producers."""

MAX_BODIES_BYTES = 16 * 1024 * 1024
"""Bodies that an isolate is receiving or processing, together. A body may take five times its bytes while it is
processed (text outside of Latin-1 takes 4 bytes a character), so these may take most of an isolate's 128 MB. One whose
JSON takes more, since it has many small elements, counts as more."""

BODY_MEMORY_FACTOR = 5
"""How many times its bytes a body takes while it is processed; the assumption behind `MAX_BODIES_BYTES`."""

DECODED_VALUE_BYTES = 64
"""What an element, a member or a container of JSON takes once it is decoded: 3 bytes (`[],`) become a list of 56."""

PASSED_ON_MEMORY_FACTOR = 3
"""The same of a body that is not decoded."""

MAX_ADDRESS_BODIES_BYTES = 6 * 1024 * 1024
"""The same of one address (one largest result or question, which counts three fifths, or one largest import, 24 of the
largest requests, thousands of usual ones): otherwise one caller could spend all of it with a few slow connections."""

MAX_LOADS_BYTES = 16 * 1024 * 1024
"""Large values that an isolate has read from KV and not handed over yet: two of the largest results, or ten
screenshots. What does not fit waits for its turn."""

MAX_ADDRESS_LOADS_BYTES = 9 * 1024 * 1024
"""The same of one address: otherwise one caller that reads slowly could keep all others from their results."""

LOAD_PATIENCE_SECONDS = 5
"""How long a large value waits for its turn before its reader is asked to come back."""

MAX_BODY_SILENCE_SECONDS = 10
"""How long a body may bring nothing: otherwise a byte now and then would hold a request open."""

MAX_USUAL_BODY_BYTES = 2 * 1024 * 1024
"""A body that may take `MAX_BODY_SECONDS`; one that may be larger gets `MAX_LARGE_BODY_SECONDS`."""

MAX_BODY_SECONDS = 60
"""How long a whole body may take: enough for a page's 2 MiB on a weak mobile network."""

MAX_LARGE_BODY_SECONDS = 180
"""The same of a body that may be larger than 2 MiB: 8 MiB at 0.4 Mbit/s."""

PREFLIGHT_MAX_AGE_SECONDS = 7200
"""How long a browser caches the reply to a CORS preflight; browsers cap it there."""

MAX_PARAMETER_HEADERS = 32
"""Headers for arguments of a tool (MCP's `Mcp-Param-…`) that the reply to a preflight repeats."""

MAX_TRACESTATE_LENGTH = 512
"""Characters of a `tracestate` that are passed on, the least that W3C Trace Context asks for: it is stored with a
request."""

MAX_TRACESTATE_MEMBERS = 32
"""https://www.w3.org/TR/trace-context/#list"""

MAX_ID_LENGTH = 64
"""Characters of an id that a client chooses: two of them and a cursor must fit into a key of 512 bytes."""

MAX_APP_ID_LENGTH = 128
"""Characters of an id that an app chooses for a thread or for its owner."""

MAX_APP_ID_KEY_BYTES = 200
"""The same, percent-encoded: two of them must fit into a key of 512 bytes."""

MIN_APP_KEY_LENGTH = 16
"""Characters of an app key, which opens the threads of every resource."""

MIN_SIGNING_KEY_BYTES = 32
"""A signing key. A key shorter than the hash (32 bytes) weakens the signature: RFC 2104, section 3."""

MIN_CODE_LENGTH = 8
"""Characters of a session's code, 5 bits each. Shorter codes can be guessed despite the rate limit."""

MAX_CODE_LENGTH = 16
"""Characters of a session's code at most: more is too long to type, and 80 bits can't be guessed over a network."""

MAX_TYPED_CODE_LENGTH = 2 * MAX_CODE_LENGTH
"""Characters of a code as it was typed: the longest one with a space or a dash after each character."""
MCP_ADDRESS_LENGTH = 32
"""Characters of an MCP address, 5 bits each: 160 bits can't be guessed, and no code is as long."""

ADDRESS_SECRET_LENGTH = 43
"""Characters of the secret of an MCP address: 32 bytes as base64url."""

ADDRESS_TTL_SECONDS = 30 * 24 * 3600
"""How long an MCP address is kept after a session took it last. A session lasts a day, so a tab that is used takes it
again long before."""

WITHDRAWN_TTL_SECONDS = 365 * 24 * 3600
"""How long a withdrawn MCP address is refused: longer than an address is kept, and than a secret stays in a backup."""

ADDRESS_CACHE_SECONDS = 30
"""How long an isolate uses what it read of an MCP address: no longer than its location caches a read."""

ADDRESS_UNSURE_SECONDS = 10
"""The same, if the address does not exist or its session is over: its browser may open a session at any moment."""

MAX_LOOKUPS_AT_ONCE = 10
"""Concurrent look-ups of codes from one address in one isolate: as many can still succeed while it is being blocked."""

MAX_REMEMBERED_GUESSES = 10_000
"""Blocked addresses, wrong codes, and codes served to an address, that an isolate remembers, of each kind: at most 4
MB. The oldest are dropped first."""

SERVED_CODE_SECONDS = 3600
"""How long an isolate remembers that an address was served with a code; it may use that code while it is blocked."""

MAX_ADDRESS_LENGTH = 64
"""Characters of any client address, its zone included."""

MIN_APP_TOKEN_TTL_SECONDS = 60
DEFAULT_APP_TOKEN_TTL_SECONDS = 3600
MAX_APP_TOKEN_TTL_SECONDS = 24 * 3600
"""Lifetime of an app token. It can't be revoked, so its lifetime bounds the harm of one that leaked."""

MAX_MESSAGE_ID_LENGTH = 128
"""Characters of a message's id, which is stored with it and never part of a key."""

MAX_QUESTION_LENGTH = 4000
"""Characters of a question to a voice agent; spoken questions are shorter."""

MAX_CHAT_MESSAGE_LENGTH = 64 * 1024
"""Characters of a question to a model: as many as a whole prompt has by default."""

MAX_MESSAGE_CHARACTERS = 1024 * 1024
"""Characters of one message that is appended or imported, its tool calls and tool events included, its images not: more
than an answer may have, so that every export can be imported."""

DEFAULT_PROMPT_BUDGET = 64 * 1024
MIN_PROMPT_BUDGET = 1000
MAX_PROMPT_BUDGET = 1_000_000
"""Characters of a prompt without the operator's instructions. A prompt is paid for by its length, and an import could
fill it with 2 MiB."""

PROMPT_CHARACTERS_PER_USE = 16 * 1024
"""Characters of a prompt that one use of the ANSWER budget pays for."""

IMAGE_CHARACTERS = 4096
"""Characters that an image in a prompt counts as: a model charges for it about what it charges for so much text."""

MAX_APPENDED_MESSAGES = 100
"""Messages in one append to a conversation."""

MAX_APPEND_BYTES = 6 * 1024 * 1024
"""The body of an append: one of the longest messages, with the largest images."""

APPEND_BYTES_PER_USE = 64 * 1024
"""Bytes that one use of the APPEND budget pays for: a reader loads everything written in the last five minutes."""

IMAGE_BYTES_PER_USE = 512 * 1024
"""Bytes of images that one use of the APPEND budget pays for: they are read only for the model, and for a client."""

MAX_SMALL_APPEND_BYTES = APPEND_BYTES_PER_USE // 10
"""The body of an append that spends nothing of the APPEND budget, but only of MESSAGE, which is ten times as large: so
either pays for as many bytes a minute."""

MAX_IMPORTED_MESSAGES = 1000
"""Messages of an imported conversation: more than are ever kept, so that longer transcripts can be imported too."""

MAX_IMPORT_BYTES = 6 * 1024 * 1024
"""The body of an import: as large as an export of several of the longest messages, with their images."""

MAX_METADATA_BYTES = 512
"""A thread's metadata as JSON: it is stored in the key's metadata, so that a list can be filtered by it."""

MAX_THREAD_TITLE_LENGTH = 120
"""Characters of a thread's title, which is stored beside its metadata."""

MAX_METADATA_NAME_LENGTH = 64
"""Characters of a name in a thread's metadata, which a filter repeats in the URL."""

MAX_LINEAGE = 32
"""Ancestors that a fork records."""

MAX_LISTED_THREADS = 1000
"""Threads in one page of a list."""

DEFAULT_LISTED_THREADS = 50
"""Threads in one page of a list if the request names no `limit`."""

MAX_TOOL_NAME_LENGTH = 128
"""Characters of a tool's name, as MCP (2025-11-25, server/tools) allows."""

MAX_MAPPED_NAME_LENGTH = 64
"""Characters of a tool's mapped name: the APIs of models take no longer ones."""

MAX_TOOLS = 128
"""Tools of one session: a model can't choose among more, and each change stores and sends all of them."""

MAX_SESSION_DATA_BYTES = 4 * 1024
"""A session's `data` as JSON. It is written again with each renewal and returned with each reading of the session."""

MAX_PAGE_URL_LENGTH = 2048
"""Characters of a session's `data.url` that MCP's replies can name; it is the only part of `data` that is cached."""

MAX_LABEL_LENGTH = 100
"""Characters of a session's label, which is shown to people."""

MAX_ERROR_CODE_LENGTH = 64
"""Characters of the code in a response's error."""

MAX_ERROR_MESSAGE_LENGTH = 4096
"""Characters of the message in a response's error."""

MAX_SEQ = 2**53 - 1
"""The greatest number of a producer: the greatest integer that JavaScript counts exactly."""

MAX_ACK_CURSORS = 100
"""Cursors in one acknowledgement: each is a delete, and an invocation may do 1,000 operations (polling/plans.py)."""

READS_PER_ADDRESS_USE = 25
"""KV reads, or 2.5 writes, deletes or lists, that one use of ADDRESS_LIMIT pays for; what a request does beyond costs
more uses. At 1,200 uses a minute one address makes the owner spend $0.90 an hour in KV: SECURITY.md has the table."""

ACK_CURSORS_PER_USE = 10
"""Of an acknowledgement, for each use of its session's budget."""

MAX_WAIT_SECONDS = 60
"""How long a request may wait for its response: other people's proxies close a connection that is silent for 60 s,
many programs' own time-outs come sooner."""

MAX_POLL_MESSAGES = 500
"""Messages in one reply to a poll."""

MAX_POLL_BYTES = 1024 * 1024
"""Bodies in one reply to a poll, approximately: the last message may exceed it."""

MAX_LOADED_BYTES = 4 * 1024 * 1024
"""Values read from KV together; a backlog of large messages must not fill the isolate's memory."""

MIN_SESSION_TTL_SECONDS = 60
"""KV takes no shorter expiration."""

DEFAULT_SESSION_TTL_SECONDS = 600
"""How long a session lasts without a renewal."""

DEFAULT_CONVERSATION_TTL_SECONDS = 3600
"""How long a conversation is kept after its last append."""

DEFAULT_HISTORY_LIMIT = 10
"""Messages of a conversation that are kept: the history that a model gets with each question."""

MAX_HISTORY_LIMIT = 200
"""The greatest history limit of a deployment for conversations that are no thread's."""

DEFAULT_THREAD_HISTORY_LIMIT = 200
"""Messages of a thread that are kept."""

MAX_THREAD_HISTORY_LIMIT = 2000
"""The greatest such limit of a deployment: the whole history is read for every answer."""

DEFAULT_HISTORY_BYTES = 1024 * 1024
MIN_HISTORY_BYTES = 64 * 1024
MAX_HISTORY_BYTES = 4 * 1024 * 1024
"""Bytes of a conversation's messages that are kept, as JSON. The newest group of messages, or two pictures of an
agent's, may take twice as much. All of it is read for every answer, and held by an isolate meanwhile."""

THREAD_TTL_SECONDS = 30 * 24 * 3600
"""How long a thread and its history are kept after they were used last."""

MAX_THREAD_TTL_SECONDS = 365 * 24 * 3600
"""The greatest such time of a deployment: KV's storage is paid by the month."""

TOMBSTONE_SECONDS = 3600 + 10 * 60 + 135
"""How long a conversation knows at least which messages were removed: as long as the chunks of a removed answer
(`ANSWER_TTL_SECONDS`), and longer than an answer may take (`MAX_ANSWER_SECONDS`) and become visible."""

POP_REPEAT_SECONDS = 600
"""How long a pop that is repeated gets the same message: as long as a client's retries take."""

ANSWER_TTL_SECONDS = 3600
"""How long the chunks of an answer are kept."""

DOCUMENT_TTL_SECONDS = 24 * 3600
"""How long a document or a page is kept after it was last put."""

MAX_SERVER_EVENT_BYTES = 1024 * 1024
"""One event of a model's stream, or its whole answer where it does not stream: thousands of times a usual event."""

MAX_MODEL_LOG_LENGTH = 500
"""Characters of a model service's error that are written to the operator's log."""

DEFAULT_MODEL_TIMEOUT_SECONDS = 30
"""How long a model may be silent, before its first word and between two."""

MAX_MODEL_TIMEOUT_SECONDS = 120
"""The greatest such timeout of a deployment."""

MAX_RETRY_AFTER_SECONDS = 5
"""Longest `Retry-After` of a model service that is honoured; beyond it the question fails, as a user is waiting."""

ANSWER_GRACE_SECONDS = 25
"""How long a generation continues after its last reader has left. The platform allows 30 s:
https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil"""

MAX_ANSWER_SECONDS = 10 * 60
"""How long a model may take for one answer; then the answer is kept as partial. With a write each second and a check
for stop requests each two, it takes 900 of the 1,000 operations of an invocation (polling/plans.py)."""

MAX_ANSWER_CHARACTERS = 256 * 1024
"""Characters of one answer, with the JSON of its tool calls and their results; a model that does not end is cut off
here."""

MAX_RECENT_THREADS = 1024
"""Thread records that an isolate caches because a listing may not show them yet; with their largest metadata and
lineage they take 10 MB, and `MAX_RECENT_THREADS_BYTES` bounds that."""

MAX_RECENT_THREADS_BYTES = 2 * 1024 * 1024
"""The same, in bytes."""

MAX_PROGRESS_BYTES = 64 * 1024
"""JSON of the progress reports of tools that one answer keeps, with their ids: what a tab reports beyond is left out,
so that it can't fill the conversation."""

MAX_LIVE_ANSWERS = 1000
"""Answers that an isolate generates concurrently; each holds its text until its end."""

MAX_LIVE_ANSWERS_BYTES = 16 * 1024 * 1024
"""Text of the answers that an isolate generates; beyond it no further question is accepted."""

MAX_LIVE_IMAGES_BYTES = 12 * 1024 * 1024
"""Images in the prompts of the answers that an isolate generates: of three of the largest questions. Each is there
twice until its answer ends, in the prompt and in the request to the model."""

INTERRUPT_SECONDS = 10
"""How long a stop request waits until the answer has ended and its text is stored."""

GIVER_SILENCE_SECONDS = 30
"""How long a generation may do nothing in its own isolate before it counts as lost. A write that is repeated takes a
third of that."""

ANSWER_HEARTBEAT_SECONDS = 3
"""Silence on the stream of an answer until a heartbeat: that a client has left is noticed at the next write. Well below
5 s, after which httpx gives up by default."""

FOLLOW_PATIENCE_SECONDS = 60 + 15
"""How long a reader in another isolate waits for the next chunk of an answer: `KV_LISTING_AGE_SECONDS` and some."""

MAX_JOURNAL_LENGTH = 10
"""Appends after which a conversation's journal is compacted, so that reading it stays cheap."""

MAX_SESSION_AGE_SECONDS = 24 * 3600
"""The greatest age of a session, however often it is renewed; its tokens expire then too."""

DEFAULT_QUEUE_TTL_SECONDS = 3600
"""How long a request or a response stays in its queue until it is acknowledged."""

KV_VISIBLE_SECONDS = 60
"""How late a change may become visible in another location. The documentation says "up to 60 seconds or more":
https://developers.cloudflare.com/kv/concepts/how-kv-works/#consistency"""

KV_READ_CACHE_SECONDS = 30
"""How long a location may return what it read before, a miss too, after a change has become visible there. It is the
least that KV takes since 2026-01-30; without a `cacheTtl` it is 60:
https://developers.cloudflare.com/kv/api/read-key-value-pairs/#cachettl-parameter"""

KV_LISTING_AGE_SECONDS = 60
"""How old a listing may be, which takes no `cacheTtl`: https://developers.cloudflare.com/kv/api/list-keys/"""

REORDER_WINDOW_SECONDS = KV_VISIBLE_SECONDS + KV_LISTING_AGE_SECONDS + 15
"""How late after its cursor a message can become visible in a list. The 15 s are for the write, which comes after the
cursor and may be repeated for 8 s, and for clocks, which differ by some seconds."""

TOKEN_VOUCHES_SECONDS = REORDER_WINDOW_SECONDS
"""How long after its creation a session may be invisible in another location. Until then a signed token proves that it
exists."""

MAX_CLOCK_SKEW_SECONDS = 15
"""How far the clocks of two locations may differ; a cursor from further ahead was made by none of them."""

MAX_WRITE_SECONDS = 8
"""How long a failed operation is repeated; a message must not be written long after the time in its cursor."""

MAX_TRACKED_PRODUCERS = 8
"""Producers whose next number is part of an event's id: the header that returns it must stay small."""

SESSION_CACHE_SECONDS = 30
"""How long an isolate uses a session record without reading it again: no longer than its location caches a read."""

PRESENCE_GRACE_SECONDS = KV_VISIBLE_SECONDS
"""How late the next presence of a host may become visible before the host counts as gone: what KV needs to show it."""

MIN_INSTANCE_ID_LENGTH = 8
MAX_INSTANCE_ID_LENGTH = 64
"""Characters of the id that a host chooses for itself, at random."""

TAKEOVER_HOLD_SECONDS = 30
"""How long requests that were accepted before a newer host came are held back from it, while the older one may still
be running them: half of what a caller usually waits."""

HEARTBEAT_SECONDS = 30
"""Longest silence on a stream until a heartbeat, on any plan (`Plan.heartbeat_seconds`). Other people's proxies close a
connection that is silent for 60 s; Cloudflare does after 400 s, and after 120 s where an origin is behind it:
https://developers.cloudflare.com/fundamentals/reference/connection-limits/ (2026-11)."""

STREAM_RETRY_MILLISECONDS = 1000
"""The `retry` of an event stream: how long a client waits before it reconnects."""

DAILY_LIMIT_RETRY_MILLISECONDS = 60_000
"""The `retry` of a stream that ends because the day's operations are used up: an isolate tries one a minute."""

KV_MIN_TTL_SECONDS = 60
"""https://developers.cloudflare.com/kv/api/write-key-value-pairs/"""

KV_MAX_KEY_BYTES = 512
"""https://developers.cloudflare.com/kv/platform/limits/"""

KV_MAX_METADATA_BYTES = 1024
"""https://developers.cloudflare.com/kv/platform/limits/, counted on the metadata's JSON."""

KV_MAX_LIST_KEYS = 1000
"""https://developers.cloudflare.com/kv/api/list-keys/"""

KV_MAX_BULK_KEYS = 100
"""https://developers.cloudflare.com/kv/api/read-key-value-pairs/"""

MEMORY_KV_MAX_BYTES = 32 * 1024 * 1024
"""Capacity of the store in memory; an isolate has 128 MB for everything."""

MAX_LOCAL_BYTES = 8 * 1024 * 1024
"""Items of a local channel, in bytes, all topics together. They are dropped after `REORDER_WINDOW_SECONDS`, too: by
then every reader has found them in KV."""

MAX_LOCAL_ITEMS_PER_TOPIC = 64
"""Recent items of one topic that a local channel keeps; a reader that is further behind reads KV."""

MAX_LOCAL_TOPICS = 4096
"""Topics that a local channel keeps: a bound on an isolate's memory, not on the number of sessions."""

MAX_UNWRITTEN_MESSAGES = 1024
"""Messages that an isolate delivers before they are written. More of them wait for their writes."""

MAX_UNWRITTEN_BYTES = 8 * 1024 * 1024
"""The same in bytes, all together."""

MAX_CACHED_SESSIONS = 4096
"""Session records that an isolate caches, without their `data`; conversations whose compaction it has checked; polling
hosts whose presence it has announced."""

MAX_CACHE_BYTES = 4 * 1024 * 1024
"""One cache of an isolate, in bytes. Together they stay below a third of its 128 MB."""

MAX_CACHED_ADDRESSES = 4096
"""MCP addresses that an isolate caches, of those that exist and of those that do not."""

MAX_JOINED_CODES = 4096
"""Used single-use codes that an isolate caches, with the id of the guest that used each."""

MAX_CACHED_TOOL_LISTS = 256
"""Sessions whose tools an isolate caches for MCP calls."""

MAX_STREAMS_PER_SESSION = 128
"""Open streams, MCP streams and waits (`?wait=`) of one session in one isolate: its host, and the calls of its guests.
Each looks into KV by itself, at its owner's expense, and takes some 60 KiB. That a client has closed its stream is
noticed at the next heartbeat only: one that reconnects each second, as MCP's conformance runner does, has dozens."""

MAX_STREAMS_PER_ADDRESS = 256
"""The same of one address: 15 MiB, an eighth of an isolate. An office of 80 people, each with a tab, an agent and its
listening stream, fits behind one address; so does a hosted MCP client, whose users share its addresses. Without it one
caller could fill an isolate in two minutes, which ends every stream in it."""

MAX_STREAMS_PER_ISOLATE = 1500
"""The same of all callers: at 60 KiB each they take 88 MiB of the isolate's 128."""

MAX_RPC_ID_LENGTH = 128
"""Characters of the id of a JSON-RPC request, and of its progress token: both are part of event ids."""

MAX_BATCH_MESSAGES = 16
"""Messages in a JSON-RPC batch. Its calls wait concurrently, and share the KV operations of one invocation."""

TOOLS_PER_PAGE = 64
"""Tools in one page of MCP's `tools/list`."""

DEFAULT_MCP_HOST_GRACE_SECONDS = 10
"""How long an MCP call waits for a tab that is not connected."""

ABSENCE_CHECK_SECONDS = 30
"""Interval at which a call without news checks whether the tab is still connected."""

MCP_JSON_PATIENCE_MILLISECONDS = 1000
"""How long an MCP call is waited for before its reply becomes a stream."""

MCP_LIMITED_PATIENCE_MILLISECONDS = 10_000
"""The same for a client that takes no large events (mcp/stream_limits.py)."""

MCP_LIMITED_EVENT_BYTES = 1024 * 1024 - 4096
"""Its largest event, less its id and its names."""

MCP_TASK_PATIENCE_MILLISECONDS = 5000
"""How long an MCP call is waited for before it becomes a task, for clients that support tasks."""

MCP_TASK_POLL_MILLISECONDS = 2000
"""The interval at which a client is asked to poll its task."""

MCP_HEARTBEAT_SECONDS = 5
"""Silence on the stream of an MCP call until a heartbeat: that a client has left is noticed at the next write."""

MCP_LIST_TTL_MILLISECONDS = 30_000
"""How long an MCP client may cache a list: no longer than a location caches a read."""

MCP_TOOLS_ECHO_SECONDS = KV_VISIBLE_SECONDS + 15
"""Delay of the second notification after a change of the tools: a client that read them right after the first
one may have got the old ones, which its location had cached or did not see replaced yet."""

WAIT_RESERVED_OPERATIONS = 2
"""KV operations that a wait for a response leaves unspent: one check may need as many."""

STREAM_RESERVED_OPERATIONS = 5
"""KV operations that a stream reserves for the session's renewal and the host's presence, to end cleanly."""

MAX_EXPORT_PART_BYTES = 4 * 1024 * 1024
"""One part of a resource's export; its last line may exceed it. An isolate holds it whole."""

EXPORT_RESERVED_OPERATIONS = 8
"""KV operations that an export leaves unspent: the next line may need as many."""

DEFAULT_MAX_STEPS = 8
"""Replies of a model within one answer: each may call tools, but the last, for which it is offered none."""

MAX_MAX_STEPS = 32
"""The greatest such number of a deployment: each reply costs a whole prompt."""

DEFAULT_TOOL_SECONDS = 120
"""How long an answer waits for one call of a tool: as long as a person may take to approve it."""

MAX_TOOL_SECONDS = MAX_ANSWER_SECONDS - 60
"""The greatest such time of a deployment: the answer has to go on after it."""

DEFAULT_VOICE_SECONDS = 12
MIN_VOICE_SECONDS = 3
MAX_VOICE_SECONDS = 120
"""How long the answer of a voice agent that may use a tab's tools may take, until it is stored. The default fits into
the 15 s that Twilio waits for a response: https://www.twilio.com/docs/api/errors/11205"""

MAX_CALLS_PER_REPLY = 32
"""Calls in one reply of a model: models make a few, a broken one any number."""

MAX_CALLS_PER_STEP = 8
"""Calls of one reply that are made, at the same time; each waits with KV operations of its own."""

MAX_TOOL_ARGS_BYTES = 64 * 1024
"""The arguments of a model's call as JSON: an answer keeps them."""

MAX_TOOL_RESULT_BYTES = 32 * 1024
"""What a model is given of one result, as JSON or text: 8,000 tokens or so. The rest is cut off, and the model is told
so."""

MAX_TOOL_PROGRESS_BYTES = 1024
"""The same of a progress report, which is shown and not given to the model."""

MAX_TOOL_LOG_BYTES = MAX_ANSWER_CHARACTERS * 3 // 4
"""JSON of an answer's calls and results: the rest is for what it says. Beyond it, no more tools are called."""

TOOL_RESERVED_OPERATIONS = 96
"""KV operations that the calls of an answer leave unspent: to cancel those that are open, and for the rest of the
answer."""

GENERATION_RESERVED_OPERATIONS = 12
"""KV operations reserved for the end of an answer: its message and its last chunk, each perhaps written again."""
