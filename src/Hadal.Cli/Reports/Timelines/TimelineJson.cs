using System.Buffers;
using System.Text;
using System.Text.Json;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Timelines;

namespace Hadal.Cli.Reports.Timelines;

/// <summary>A timeline as the page's script reads it.</summary>
internal static class TimelineJson
{
    /// <summary>The JSON, with everything escaped that could end the element it stands in.</summary>
    public static string Of(TimelinePageData data)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("unit", data.InSeconds ? "s" : "");
            json.WriteNumber("duration", data.Timeline.Duration);
            json.WriteNumber("chunkBytes", data.ChunkBytes);
            json.WriteNumber("deferredBytes", data.DeferredBytes);
            json.WriteNumber("directions", Directions(data));
            json.WriteBoolean("folded", data.Layout?.Kind == ScheduleKind.DualPipeV);
            var critical = data.Timeline.CriticalPath.ToHashSet();
            json.WriteStartArray("lanes");
            for (int l = 0; l < data.Timeline.Lanes.Count; l++) WriteLane(json, data, l, critical);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Directions of the schedule: as its layout says, else as its operations show.</summary>
    public static int Directions(TimelinePageData data) => data.Layout?.Directions
        ?? 1 + data.Timeline.Lanes.SelectMany(l => l.Spans).Select(s => s.Operation).OfType<ScheduleOperation>().Select(o => Math.Max(o.Chunk.Direction, o.Other.Direction)).DefaultIfEmpty(0).Max();

    private static void WriteLane(Utf8JsonWriter json, TimelinePageData data, int index, HashSet<TimelinePlace> critical)
    {
        var lane = data.Timeline.Lanes[index];
        json.WriteStartObject();
        json.WriteString("name", lane.Name);
        json.WriteBoolean("operations", lane.HasOperations);
        json.WriteStartArray("stages");
        for (int d = 0; d < (data.Layout?.Directions ?? 0); d++) json.WriteNumberValue(data.Layout!.Stage(index, d));
        json.WriteEndArray();
        json.WriteStartArray("spans");
        for (int s = 0; s < lane.Spans.Count; s++) WriteSpan(json, lane.Spans[s], critical.Contains(new TimelinePlace(index, s)));
        json.WriteEndArray();
        json.WriteStartArray("memory");
        foreach (var point in lane.Activations.Points)
        {
            json.WriteStartArray();
            json.WriteNumberValue(point.Time);
            json.WriteNumberValue(point.Whole);
            json.WriteNumberValue(point.Deferred);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteSpan(Utf8JsonWriter json, TimelineSpan span, bool critical)
    {
        json.WriteStartObject();
        json.WriteString("name", span.Name);
        json.WriteString("kind", span.Operation is { } o ? o.ToString()[..o.ToString().IndexOf('.', StringComparison.Ordinal)] : "");
        if (span.Operation is { } operation)
        {
            json.WriteNumber("d", operation.Chunk.Direction);
            json.WriteNumber("m", operation.Chunk.MicroBatch);
            json.WriteNumber("e", operation.Other.Direction);
            json.WriteNumber("k", operation.Other.MicroBatch);
        }

        json.WriteNumber("start", span.Start);
        json.WriteNumber("end", span.End);
        if (critical) json.WriteBoolean("critical", true);
        json.WriteEndObject();
    }
}
