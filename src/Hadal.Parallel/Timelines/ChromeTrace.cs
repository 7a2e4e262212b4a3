using System.Globalization;
using System.Text.Json;
using Hadal.Parallel.Schedules;

namespace Hadal.Parallel.Timelines;

/// <summary>Timelines as Chrome-trace JSON, which Perfetto and <c>chrome://tracing</c> open too.</summary>
/// <remarks>
/// One complete event (<c>"ph":"X"</c>) for each span: times in microseconds, the lane as thread, the operation's text as name. Activations are a counter for each rank, figures of the step stand in <c>otherData</c>. Other programs'
/// traces can be read as well: events whose names are operations of a schedule (such as <c>FB.0.3.1.1</c>) become operations, all other complete events stand in lanes of their own.
/// </remarks>
public static class ChromeTrace
{
    /// <summary>The most events that are read from a file.</summary>
    private const int MostEvents = 1_000_000;

    /// <summary>The most lanes for events of one thread that run inside each other; deeper ones are left out.</summary>
    private const int MostLevels = 8;

    /// <summary>The unit of times in a trace, seconds: events that touch may seem to overlap by so much.</summary>
    private const double TimeUnit = 1e-6;

    /// <summary>Writes a timeline.</summary>
    /// <param name="timeline">The timeline.</param>
    /// <param name="destination">Where to; it stays open.</param>
    public static void Write(Timeline timeline, Stream destination)
    {
        ArgumentNullException.ThrowIfNull(timeline);
        using var json = new Utf8JsonWriter(destination);
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ms");
        json.WriteStartObject("otherData");
        json.WriteString("title", timeline.Title);
        foreach (var (name, value) in timeline.Figures) json.WriteNumber(name, value);
        json.WriteEndObject();
        json.WriteStartArray("traceEvents");
        for (int lane = 0; lane < timeline.Lanes.Count; lane++) WriteLane(json, timeline.Lanes[lane], lane);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Reads a trace; the earliest event becomes time 0.</summary>
    /// <param name="path">A file of Chrome-trace JSON: an object with <c>traceEvents</c>, or the array alone.</param>
    /// <returns>Lanes in the order of process and thread numbers; of each, operations first and other events in a lane after them.</returns>
    /// <exception cref="TimelineException">It is not such a file, or has no complete event.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Timeline Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var document = JsonDocument.Parse(file);
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("traceEvents", out var events)) return Read(path, events, Title(root) ?? Path.GetFileName(path), Figures(root));
            return Read(path, root, Path.GetFileName(path), []);
        }
        catch (JsonException e)
        {
            throw new TimelineException(path, $"this is no JSON ({e.Message.TrimEnd('.')}); a Chrome trace is an object with 'traceEvents', or an array of events", e);
        }
    }

    private static string? Title(JsonElement root) =>
        root.TryGetProperty("otherData", out var other) && other.ValueKind == JsonValueKind.Object && other.TryGetProperty("title", out var title) && title.ValueKind == JsonValueKind.String
            ? title.GetString() : null;

    private static Dictionary<string, double> Figures(JsonElement root)
    {
        var figures = new Dictionary<string, double>();
        if (!root.TryGetProperty("otherData", out var other) || other.ValueKind != JsonValueKind.Object) return figures;
        foreach (var property in other.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Number) figures[property.Name] = property.Value.GetDouble();
        }

        return figures;
    }

    private static Timeline Read(string path, JsonElement events, string title, Dictionary<string, double> figures)
    {
        if (events.ValueKind != JsonValueKind.Array) throw new TimelineException(path, "there is no array of events; a Chrome trace is an object with 'traceEvents', or an array of events");
        if (events.GetArrayLength() > MostEvents) throw new TimelineException(path, $"it has {events.GetArrayLength()} events; at most {MostEvents} are drawn");
        var spans = new SortedDictionary<(double Process, double Thread), List<TimelineSpan>>();
        var names = new Dictionary<(double, double), string>();
        int index = 0;
        foreach (var e in events.EnumerateArray())
        {
            if (e.ValueKind != JsonValueKind.Object) throw new TimelineException(path, $"event {index} is no object");
            var lane = (Number(path, e, "pid", index, 0), Number(path, e, "tid", index, 0));
            string phase = Text(e, "ph"), name = Text(e, "name");
            if (phase == "M" && name == "thread_name" && e.TryGetProperty("args", out var arguments) && arguments.ValueKind == JsonValueKind.Object) names[lane] = Text(arguments, "name");
            if (phase == "X") (spans.TryGetValue(lane, out var list) ? list : spans[lane] = []).Add(Span(path, e, name, index));
            index++;
        }

        if (spans.Count == 0) throw new TimelineException(path, "it has no complete event (\"ph\":\"X\")");
        double first = spans.Values.SelectMany(s => s).Min(s => s.Start);
        bool processes = spans.Keys.Select(k => k.Process).Distinct().Count() > 1;
        var lanes = new List<TimelineLane>();
        foreach (var (key, list) in spans)
        {
            string fallback = string.Create(CultureInfo.InvariantCulture, $"{(processes ? $"{key.Process}/" : "")}{key.Thread}");
            string name = names.TryGetValue(key, out string? given) && given.Length > 0 ? given : fallback;
            var sorted = list.Select(s => s with { Start = s.Start - first, End = s.End - first }).OrderBy(s => s.Start).ThenByDescending(s => s.End).ToArray();
            TimelineSpan[] operations = [.. sorted.Where(s => s.Operation is not null)], others = [.. sorted.Where(s => s.Operation is null)];
            CheckOneAfterAnother(path, name, operations);
            if (operations.Length > 0) lanes.Add(new TimelineLane(name, operations));
            foreach (var level in Levels(others)) lanes.Add(new TimelineLane(operations.Length > 0 ? $"{name}: other" : name, level));
        }

        return new Timeline(title, lanes) { Figures = figures };
    }

    private static void CheckOneAfterAnother(string path, string lane, TimelineSpan[] operations)
    {
        for (int i = 1; i < operations.Length; i++)
        {
            if (operations[i].Start < operations[i - 1].End - TimeUnit)
                throw new TimelineException(path, $"{operations[i].Name} of '{lane}' begins before {operations[i - 1].Name} has ended; operations of a rank run one after the other");
        }
    }

    /// <summary>Shares events that run beside or inside each other out over lanes in which none overlap.</summary>
    private static List<List<TimelineSpan>> Levels(TimelineSpan[] spans)
    {
        var levels = new List<List<TimelineSpan>>();
        foreach (var span in spans)
        {
            var free = levels.Find(l => l[^1].End <= span.Start + TimeUnit);
            if (free is not null) free.Add(span);
            else if (levels.Count < MostLevels) levels.Add([span]);
        }

        return levels;
    }

    private static TimelineSpan Span(string path, JsonElement e, string name, int index)
    {
        double start = Number(path, e, "ts", index, null) / 1e6, duration = Number(path, e, "dur", index, 0) / 1e6;
        if (!double.IsFinite(start) || !double.IsFinite(duration) || duration < 0) throw new TimelineException(path, $"event {index} ('{name}') has no duration of 0 or more");
        return new TimelineSpan(name, ScheduleOperation.TryParse(name, out var operation) ? operation : null, start, start + duration);
    }

    private static string Text(JsonElement e, string property) => e.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static double Number(string path, JsonElement e, string property, int index, double? missing)
    {
        if (!e.TryGetProperty(property, out var value)) return missing ?? throw new TimelineException(path, $"event {index} has no '{property}'");
        if (value.ValueKind == JsonValueKind.Number) return value.GetDouble();
        if (value.ValueKind == JsonValueKind.String && double.TryParse(value.GetString(), CultureInfo.InvariantCulture, out double number)) return number;

        throw new TimelineException(path, $"event {index} has a '{property}' that is no number");
    }

    private static void WriteLane(Utf8JsonWriter json, TimelineLane lane, int thread)
    {
        Begin(json, "thread_name", "M", thread, null);
        json.WriteStartObject("args");
        json.WriteString("name", lane.Name);
        json.WriteEndObject();
        json.WriteEndObject();
        foreach (var span in lane.Spans)
        {
            Begin(json, span.Name, "X", thread, span.Start);
            json.WriteNumber("dur", span.Duration * 1e6);
            json.WriteString("cat", span.Operation?.Kind.ToString() ?? "Other");
            json.WriteEndObject();
        }

        foreach (var point in lane.Activations.Points)
        {
            Begin(json, $"activations of {lane.Name}", "C", thread, point.Time);
            json.WriteStartObject("args");
            json.WriteNumber("whole", point.Whole);
            json.WriteNumber("deferred", point.Deferred);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private static void Begin(Utf8JsonWriter json, string name, string phase, int thread, double? time)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("ph", phase);
        json.WriteNumber("pid", 0);
        json.WriteNumber("tid", thread);
        if (time is { } seconds) json.WriteNumber("ts", seconds * 1e6);
    }
}
