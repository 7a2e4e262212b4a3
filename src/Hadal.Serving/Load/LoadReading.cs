using System.Diagnostics;
using System.Text.Json;

namespace Hadal.Serving.Load;

/// <summary>Sends one request, reads its stream, and looks at the clock.</summary>
internal sealed class LoadReading(LoadServer server, LoadRequest request, LoadPlan plan, long due, Action piece)
{
    private readonly List<double> _gaps = [];
    private double? _first;
    private double _last;
    private int _pieces;
    private int? _answerTokens;
    private int _promptTokens = request.PromptTokens;
    private int _cachedTokens;

    /// <summary>Does it.</summary>
    public async Task<LoadMeasurement> RunAsync(CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(plan.Patience);
        try
        {
            using var response = await server.SendAsync(request.Body, patience.Token).ConfigureAwait(false);
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(patience.Token).ConfigureAwait(false));
            while (await reader.ReadLineAsync(patience.Token).ConfigureAwait(false) is { } line)
            {
                if (!line.StartsWith("data:", StringComparison.Ordinal)) continue;
                if (line.AsSpan(5).Trim() is "[DONE]") return End(LoadOutcome.Answered);
                if (!Take(line)) continue;
                if (_pieces >= request.GiveUpAfter) return End(LoadOutcome.GivenUp);
                if (request.IsSlow) await Task.Delay(plan.SlowDelay, patience.Token).ConfigureAwait(false);
            }

            return End(LoadOutcome.Failed, "The stream broke off.");
        }
        catch (OperationCanceledException)
        {
            return stop.IsCancellationRequested ? End(LoadOutcome.Unfinished) : End(LoadOutcome.Failed, $"No answer within {plan.Patience.TotalSeconds:0} s.");
        }
        catch (Exception e) when (e is LoadException or HttpRequestException or IOException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            // The network's own sentence is the inner one.
            return End(LoadOutcome.Failed, e is HttpRequestException { InnerException: { } inner } ? $"{e.Message.TrimEnd('.')}: {inner.Message}" : e.Message);
        }
    }

    // Returns whether the line had a piece of the answer.
    private bool Take(string line)
    {
        double now = Stopwatch.GetElapsedTime(due).TotalSeconds;
        using var document = JsonDocument.Parse(line.AsMemory(5));
        var root = document.RootElement;
        if (root.TryGetProperty("error", out var error)) throw new LoadException(error.ValueKind == JsonValueKind.Object && error.TryGetProperty("message", out var message) ? message.GetString()! : error.ToString());
        if (root.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
        {
            _answerTokens = usage.GetProperty("completion_tokens").GetInt32();
            _promptTokens = usage.GetProperty("prompt_tokens").GetInt32();
            if (usage.TryGetProperty("prompt_tokens_details", out var details) && details.ValueKind == JsonValueKind.Object && details.TryGetProperty("cached_tokens", out var cached) && cached.TryGetInt32(out int count)) _cachedTokens = count;
        }

        if (!root.TryGetProperty("choices", out var choices) || choices.GetArrayLength() == 0) return false;
        if (!choices[0].TryGetProperty("text", out var text) || text.ValueKind != JsonValueKind.String || text.ValueEquals("")) return false;
        if (_first is null) _first = now;
        else _gaps.Add(now - _last);
        _last = now;
        _pieces++;
        piece();
        return true;
    }

    private LoadMeasurement End(LoadOutcome outcome, string? error = null) => new(
        outcome, request.IsSlow, _first, Stopwatch.GetElapsedTime(due).TotalSeconds, _promptTokens, _cachedTokens, _answerTokens ?? _pieces, _gaps, error);
}
