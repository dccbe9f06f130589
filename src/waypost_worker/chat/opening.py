"""What every generation of an answer opens with: its agent, the tools that the model is offered, and the prompt."""

from collections.abc import Sequence

from waypost_worker.chat.context import ChatContext
from waypost_worker.chat.live_answer import LiveAnswer
from waypost_worker.chat.offered_tools import OfferedTools
from waypost_worker.chat.prompt import Prompt, build_prompt
from waypost_worker.chat.question import Question
from waypost_worker.chat.replies import Replies, ReplyBuilder
from waypost_worker.chat.steps import Steps
from waypost_worker.chat.tab_tools import TabTools
from waypost_worker.chat.turn import AnswerTurn
from waypost_worker.conversations.conversation import Conversation
from waypost_worker.conversations.images import image_bytes, newest_images
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.models.model import ModelTool
from waypost_worker.models.settings import Agent


class Opening:
    """The opening of the answer `live` to `question`, by the agent `agent_name`. `of_tab`: the tools of `tools`."""

    def __init__(
        self,
        context: ChatContext,
        live: LiveAnswer,
        question: Question,
        agent_name: str | None,
        tools: TabTools | None,
        of_tab: Sequence[ModelTool],
    ) -> None:
        self._context = context
        self._live = live
        self._tools = tools
        model = context.settings.model
        agent = model.agents.get(agent_name or "", Agent())
        self._agent = Agent(agent.instructions or model.instructions or None, agent.model)
        self._offered = OfferedTools(of_tab, model.prompt_budget // 2, question.page_tools)

    def builder(self, turn: AnswerTurn) -> ReplyBuilder:
        """Makes the prompts of `turn`."""
        context, agent = self._context, self._agent
        asked = newest_images(turn.asked)
        instructions = self._offered.instructions(agent.instructions, self._tools)

        def build(so_far: ChatMessage | None, budget: int | None) -> Prompt:
            items = [*asked, *([so_far] if so_far else [])]
            # Its service may have demanded it since the last reply.
            takes_reasoning = context.model.takes_reasoning(agent.model)
            return build_prompt(items, instructions, context.settings.model, budget, takes_reasoning=takes_reasoning)

        return build

    async def pay(self, turn: AnswerTurn, build: ReplyBuilder) -> None:
        """Counts the first prompt on the asker's budget, and its images in this isolate's room for them.

        Raises:
            RateLimited: it costs more than is left.
            Busy: there are too many images.
        """
        prompt = build(turn.so_far, None)
        await self._context.charge(prompt.characters + self._offered.characters)
        self._context.answers.hold(self._live, image_bytes(prompt.messages))

    def steps(
        self, conversation: Conversation, turn: AnswerTurn, build: ReplyBuilder, root: str, images: dict[str, list[str]]
    ) -> Steps:
        """The steps of the answer, which goes on with what `turn` has inherited. `root`: of its calls' ids. `images`:
        those of the question, by their references; emptied once they are in KV."""
        live = self._live

        async def with_images(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
            shown = await conversation.shown(messages, known=dict(images))
            if live.info is not None:
                # They are in KV, should they be needed again.
                images.clear()
            return shown

        if turn.so_far is not None:
            live.inherit(turn.so_far)
        replies = Replies(self._context, build, with_images, self._agent.model, self._offered.characters)
        return Steps(self._context, live, root, self._tools, self._offered, replies.ask)
