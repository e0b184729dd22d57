"""Asks a question and prints the answer as it is written.

python example/chat.py [ADDRESS [QUESTION]]
"""

import asyncio
import sys

import understudy


async def main(address: str = "127.0.0.1:50051", question: str = "Say hello.") -> int:
    """Runs the example; returns the exit status."""
    async with understudy.AsyncClient(address) as client:
        answer = understudy.Accumulator()
        try:
            async for event in client.stream_chat(question, recovery="restart"):
                answer.add(event)
                if event.HasField("restarted"):
                    print(f"\n[begins anew at {event.restarted.target}]")
                elif event.HasField("text_delta"):
                    print(event.text_delta.text, end="", flush=True)
        except understudy.Error as error:
            print(f"\n{error}", file=sys.stderr)
            for attempt in error.attempts:
                print(f"  {attempt.target}/{attempt.model}: {attempt.duration_ms:.0f} ms", file=sys.stderr)
            return 1
        finished = answer.answer().finished
        print(f"\n[{finished.target}, {finished.model}, {finished.tokens_used} tokens, {finished.cost_usd:.6f} USD]")
        return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:3])))
