"""Every number that bounds input, storage or time, with its unit in its name and the harm it prevents."""

MAX_BODY_BYTES = 256 * 1024
"""A request's body. Larger ones would let one caller fill an isolate's 128 MB."""

MAX_PAGE_BYTES = 1024 * 1024
"""The HTML of a page, as UTF-8."""

MAX_PAGE_BODY_BYTES = 2 * MAX_PAGE_BYTES
"""A request's body that brings a page: as a JSON text it may be longer than the page."""

MAX_PAGE_TITLE_LENGTH = 200
"""Characters of a page's title, which is stored beside it and listed."""

MAX_DOCUMENTS = 100
"""Named documents of a session, and pages of a session: a fork copies the ones, a list shows either whole."""

MAX_JSON_DEPTH = 128
"""Levels of arrays and objects in a body: what one party can still nest, the next must be able to read."""

MAX_JSON_NAMES = 16 * 1024
"""Names in the objects of a body, in all. Isolates that start from one snapshot hash alike, so that names could be
sought out that collide: each of those is compared with all before it."""

MAX_PATH_BYTES = 2048
"""The path; the longest that leads anywhere has 400 with every letter of its ids percent-encoded."""

MAX_QUERY_BYTES = 4096
"""The query string; longer ones are an attack or a mistake, and are parsed in Python."""

MAX_QUERY_PARAMETERS = 100
"""Query parameters: more than a thread's metadata can have names to filter by. Each is decoded in Python."""

MAX_HEADER_LENGTH = 4096
"""Characters of a header field that is read: five times the longest that is issued here to be sent back, a
Last-Event-ID with the numbers of 8 producers."""

MAX_BODY_SILENCE_SECONDS = 10
"""How long a body may bring nothing. Who sends slowly on purpose holds a request open for the price of a byte."""

MAX_BODY_SECONDS = 60
"""How long a body may take in all: at a page's 2 MiB it is what a weak mobile network manages."""

MAX_ID_LENGTH = 64
"""Characters of an id chosen by a client: two of them and a cursor must fit into a key of 512 bytes."""

MAX_APP_ID_LENGTH = 128
"""Characters of an id that an app chooses for its threads and their owners."""

MAX_APP_ID_KEY_BYTES = 200
"""The same, percent-encoded: two of them must fit into a key of 512 bytes."""

MIN_APP_KEY_LENGTH = 16
"""Characters of a key that lets an app read everybody's threads."""

MIN_CODE_LENGTH = 8
"""Characters of a session's code, 5 bits each: with fewer, guessing pays in spite of its throttle."""

MAX_CODE_LENGTH = 16
"""More is nothing to be typed, and 80 bits are beyond any guessing over a network."""

MIN_APP_TOKEN_TTL_SECONDS = 60
DEFAULT_APP_TOKEN_TTL_SECONDS = 3600
MAX_APP_TOKEN_TTL_SECONDS = 24 * 3600
"""How long the token of an app's user holds: it can't be taken back, so the time is the bound on one that leaked."""

MAX_MESSAGE_ID_LENGTH = 128
"""Characters of a message's id, which is stored with it and never part of a key."""

MAX_QUESTION_LENGTH = 4000
"""Characters of a question to a voice agent: nobody speaks longer at once."""

MAX_CHAT_MESSAGE_LENGTH = 64 * 1024
"""Characters of a message to a model: several times what its memory of this conversation holds."""

MAX_APPENDED_MESSAGES = 100
"""Messages in one append to a conversation."""

APPEND_BYTES_PER_USE = 64 * 1024
"""Of what is written into a conversation, for each use of its budget: a reader loads all of the last five minutes."""

MAX_IMPORTED_MESSAGES = 1000
"""Messages of a conversation that is brought back: more than are ever kept, so that longer transcripts pass too."""

MAX_IMPORT_BYTES = 2 * 1024 * 1024
"""The body that brings them: as much as an export of several of the longest messages."""

MAX_METADATA_BYTES = 512
"""A thread's metadata as JSON: it is kept in the key's metadata, so that a list can be filtered by it."""

MAX_METADATA_NAME_LENGTH = 64
"""Characters of a name in a thread's metadata, which a list's filter has in its URL."""

MAX_LINEAGE = 32
"""Ancestors that a fork remembers."""

MAX_LISTED_THREADS = 1000
"""Threads in one page of a list."""

DEFAULT_LISTED_THREADS = 50
"""Threads in one page of a list, unless asked otherwise."""

MAX_TOOL_NAME_LENGTH = 128
"""Characters of a tool's name, as MCP (2025-11-25, server/tools) allows."""

MAX_TOOLS = 128
"""Tools of one session: a model can't choose among more, and each is stored and sent whole."""

MAX_LABEL_LENGTH = 100
"""Characters of a session's label, which is shown to people."""

MAX_ERROR_CODE_LENGTH = 64
"""Characters of the code in an answer's error."""

MAX_ERROR_MESSAGE_LENGTH = 4096
"""Characters of the message in an answer's error."""

MAX_SEQ = 2**53 - 1
"""The greatest number a producer can give: what JavaScript still counts exactly."""

MAX_ACK_CURSORS = 100
"""Cursors in one acknowledgement: each is a delete, and an invocation may do 1,000 operations (50 on the free plan)."""

READS_PER_ADDRESS_USE = 25
"""KV reads, or 2.5 writes, deletes or lists, that one use of ADDRESS_LIMIT pays for; what a request does beyond costs
more uses. At 1,200 uses a minute one address makes the owner spend $0.90 an hour in KV: SECURITY.md has the table."""

ACK_CURSORS_PER_USE = 10
"""Of an acknowledgement, for each use of its session's budget."""

MAX_WAIT_SECONDS = 60
"""How long a request may wait for its answer: proxies cut what stays silent for about 100 s."""

MAX_POLL_MESSAGES = 500
"""Messages in one answer of a poll."""

MAX_POLL_BYTES = 1024 * 1024
"""Bodies in one answer of a poll, about: it is the last message that may go over."""

MAX_LOADED_BYTES = 4 * 1024 * 1024
"""Bodies read from KV at once; a backlog of large messages must not fill the isolate's memory."""

MIN_SESSION_TTL_SECONDS = 60
"""KV takes no shorter expiration."""

DEFAULT_SESSION_TTL_SECONDS = 600
"""A session nobody renews is gone after this time."""

DEFAULT_CONVERSATION_TTL_SECONDS = 3600
"""A conversation that nobody appends to is forgotten after this time."""

DEFAULT_HISTORY_LIMIT = 10
"""Messages of a conversation that are kept: what a model is shown again at each turn."""

MAX_HISTORY_LIMIT = 200
"""The most that a deployment may keep: history is read whole for every answer."""

THREAD_TTL_SECONDS = 30 * 24 * 3600
"""A thread that nobody writes to is forgotten after this time."""

ANSWER_TTL_SECONDS = 3600
"""How long the pieces of an answer are kept."""

DOCUMENT_TTL_SECONDS = 24 * 3600
"""How long documents and pages live after they were last put."""

MAX_SERVER_EVENT_BYTES = 1024 * 1024
"""One event of a model's stream, or its whole answer where it does not stream: thousands of times what a piece has."""

MAX_MODEL_LOG_LENGTH = 500
"""Characters of what a model's service said when it failed, for the operator's log."""

MAX_RETRY_AFTER_SECONDS = 5
"""How long a model's service may ask to be left alone; somebody waits for the answer, and had better be told."""

ANSWER_GRACE_SECONDS = 25
"""How long an answer goes on after its last reader has left. The platform allows 30:
https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil"""

MAX_ANSWER_SECONDS = 10 * 60
"""How long a model may take for one answer; then it is kept as it is, as partial. Written down each second, and asked
about each two, it takes 900 of the 1,000 operations of an invocation."""

MAX_ANSWER_CHARACTERS = 256 * 1024
"""What one answer may hold; a model that does not end is cut off here."""

MAX_RECENT_THREADS = 1024
"""Thread records that an isolate remembers because a listing may not show them yet."""

MAX_LIVE_ANSWERS = 1000
"""Answers that an isolate remembers before it looks which of them nobody is giving any more."""

INTERRUPT_SECONDS = 10
"""How long one who stops an answer waits until it has ended: its last words are being kept."""

GIVER_SILENCE_SECONDS = 30
"""How long the giver of an answer may do nothing at all, in its own isolate, before it is taken for gone. A write that
is repeated takes a third of that."""

ANSWER_HEARTBEAT_SECONDS = 5
"""Silence on the stream of an answer until a heartbeat: that a client has left is noticed at the next write."""

FOLLOW_PATIENCE_SECONDS = 75
"""How long one who follows an answer from elsewhere waits for its next piece: a list may be 60 s old."""

MAX_JOURNAL_LENGTH = 10
"""Appends after which they are folded into the snapshot, so that reading a conversation stays cheap."""

MAX_SESSION_AGE_SECONDS = 24 * 3600
"""No session gets older, however often it is renewed; its tokens end here too."""

DEFAULT_QUEUE_TTL_SECONDS = 3600
"""How long a request or an answer waits to be taken."""

REORDER_WINDOW_SECONDS = 60 + 60 + 15
"""How late after its cursor a message can show up: 60 s until the write is visible, a list that is 60 s old, and what
lies between: the cursor is made before the write, which may be repeated for 8 s, and clocks differ by some seconds."""

TOKEN_VOUCHES_SECONDS = REORDER_WINDOW_SECONDS
"""How long after its creation a session may be invisible in another location; a signed token vouches for it so long."""

MAX_CLOCK_SKEW_SECONDS = 15
"""How far the clocks of two locations may be apart; a cursor from further ahead was not made by any of them."""

MAX_WRITE_SECONDS = 8
"""How long a refused operation is repeated; a message must not be written long after the time that its cursor says."""

MAX_TRACKED_PRODUCERS = 8
"""Producers whose place travels in an event's id: the header it comes back in must stay small."""

SESSION_CACHE_SECONDS = 30
"""How long an isolate trusts the session record it has read: less than KV itself may be behind."""

HEARTBEAT_SECONDS = 15
"""Silence on a stream after which a heartbeat is sent; edge proxies cut streams after about 100 s of it."""

STREAM_RETRY_MILLISECONDS = 1000
"""What a client is told to wait before it comes back."""

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

MAX_LOCAL_ITEMS_PER_TOPIC = 64
"""Recent messages an isolate remembers per queue; a reader that is further behind asks KV."""

MAX_LOCAL_TOPICS = 4096
"""Queues an isolate remembers hints of: a bound on its memory, not on the number of sessions."""

MAX_CACHED_SESSIONS = 4096
"""Session records an isolate remembers."""

MAX_JOINED_CODES = 4096
"""Codes of which an isolate remembers that they were used, and by whom."""

MAX_RPC_ID_LENGTH = 128
"""Characters of the id of a JSON-RPC request, and of its progress token: both travel in the ids of events."""

TOOLS_PER_PAGE = 64
"""Tools in one page of MCP's `tools/list`."""

DEFAULT_MCP_HOST_GRACE_SECONDS = 10
"""How long an MCP call waits for a tab that is not there."""

MCP_ABSENCE_CHECK_SECONDS = 30
"""How often an MCP call of which nothing is heard asks whether the tab is still there."""

MCP_JSON_PATIENCE_MILLISECONDS = 1000
"""How long an MCP call is waited for before its reply becomes a stream."""

MCP_TASK_PATIENCE_MILLISECONDS = 5000
"""How long an MCP call is waited for before it becomes a task, where the client knows tasks."""

MCP_TASK_POLL_MILLISECONDS = 2000
"""How often a client is asked to look at its task."""

MCP_HEARTBEAT_SECONDS = 5
"""Silence on the stream of an MCP call until a heartbeat: that a client has left is noticed at the next write."""

MCP_LIST_TTL_MILLISECONDS = 30_000
"""How long an MCP client may take a list for fresh: less than the store itself may be behind."""

MCP_TOOLS_ECHO_SECONDS = 75
"""After a change of the tools MCP clients are told of it twice: who read them again at once may have been given those
that this location had in its cache."""

WAIT_RESERVED_OPERATIONS = 2
"""KV operations that a wait for an answer leaves unspent: one look may need as many."""

STREAM_RESERVED_OPERATIONS = 5
"""KV operations that a stream keeps for the session's renewal and the host's presence, so that it can end cleanly."""

GENERATION_RESERVED_OPERATIONS = 12
"""KV operations kept for the end of an answer: its message and its last chunk, each perhaps written more than once."""
