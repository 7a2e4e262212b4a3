using System.Buffers;
using System.Text.Json;

namespace Hadal.Serving.Load;

/// <summary>Draws the requests of a plan, one after the other: the same ones in the same order for the same seed.</summary>
internal sealed class LoadRequests
{
    private readonly LoadPlan _plan;
    private readonly LoadServer _server;
    private readonly Random _random;
    private readonly int[][] _prefixes;

    public LoadRequests(LoadPlan plan, LoadServer server)
    {
        (_plan, _server, _random) = (plan, server, new Random(plan.Seed));
        _prefixes = [.. Enumerable.Range(0, Math.Max(1, plan.PrefixGroups)).Select(_ => Words(plan.SharedPrefixTokens))];
    }

    /// <summary>Seconds until the next arrival: a Poisson process has exponential gaps.</summary>
    public double NextGap(double rate) => -Math.Log(1 - _random.NextDouble()) / rate;

    /// <summary>The next request.</summary>
    public LoadRequest Next()
    {
        int[] prompt = [.. _prefixes[_random.Next(_prefixes.Length)], .. Words(_plan.PromptTokens.Draw(_random))];
        int answer = _plan.AnswerTokens.Draw(_random);
        bool givesUp = _random.NextDouble() < _plan.CancelShare, isSlow = _random.NextDouble() < _plan.SlowShare;
        int after = _random.Next(1, Math.Max(2, answer));
        return new LoadRequest(Body(prompt, answer, _random.Next()), prompt.Length, givesUp ? after : null, isSlow);
    }

    private int[] Words(int count)
    {
        int[] words = new int[count];
        for (int i = 0; i < count; i++) words[i] = _random.Next(_server.Words);
        return words;
    }

    private byte[] Body(int[] prompt, int answer, int seed)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("model", _server.Model);
            writer.WritePropertyName("prompt");
            _server.WritePrompt(writer, prompt);
            writer.WriteNumber("max_tokens", answer);
            writer.WriteNumber("temperature", _plan.Temperature);
            writer.WriteNumber("seed", seed);
            writer.WriteBoolean("ignore_eos", true);
            writer.WriteBoolean("stream", true);
            writer.WriteStartObject("stream_options");
            writer.WriteBoolean("include_usage", true);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
