"""Questions to models, live and stored answers, forks, and the voice agent."""
