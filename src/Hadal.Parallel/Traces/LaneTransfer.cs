using System.Runtime.InteropServices;
using Hadal.Numerics;
using Hadal.Parallel.Communication;
using Hadal.Parallel.Schedules;
using Hadal.Parallel.Timelines;

namespace Hadal.Parallel.Traces;

/// <summary>Brings the lanes of all ranks to the first.</summary>
internal static class LaneTransfer
{
    /// <summary>Called by all ranks together.</summary>
    /// <returns>The lanes of all ranks in their order on the first; its own on every other.</returns>
    public static List<TimelineLane> Gather(ICollective world, IBackend backend, List<TimelineLane> own)
    {
        int[] words = world.Rank == 0 ? [] : Pack(own);
        int[] counts = world.AllGather<int>(backend, [words.Length]);
        if (world.Rank > 0)
        {
            using var memory = backend.CreateStorage((long)words.Length * sizeof(int));
            var tensor = memory.View(0, DType.I32, new Shape(words.Length));
            backend.Write(words, tensor);
            world.Send(tensor, 0).Wait();
            return own;
        }

        var all = new List<TimelineLane>(own);
        for (int r = 1; r < world.Size; r++)
        {
            words = new int[counts[r]];
            using var memory = backend.CreateStorage((long)words.Length * sizeof(int));
            var tensor = memory.View(0, DType.I32, new Shape(words.Length));
            world.Receive(tensor, r).Wait();
            backend.Read(tensor, words);
            all.AddRange(Unpack(words));
        }

        return all;
    }

    private static int[] Pack(List<TimelineLane> lanes)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(lanes.Count);
        foreach (var lane in lanes)
        {
            writer.Write(lane.Name);
            writer.Write(lane.Spans.Count);
            foreach (var span in lane.Spans)
            {
                writer.Write(span.Name);
                writer.Write(span.Start);
                writer.Write(span.End);
            }
        }

        writer.Flush();
        var words = new int[(stream.Length + sizeof(int) - 1) / sizeof(int)];
        stream.GetBuffer().AsSpan(0, (int)stream.Length).CopyTo(MemoryMarshal.AsBytes(words.AsSpan()));
        return words;
    }

    private static TimelineLane[] Unpack(int[] words)
    {
        using var reader = new BinaryReader(new MemoryStream(MemoryMarshal.AsBytes(words.AsSpan()).ToArray()));
        var lanes = new TimelineLane[reader.ReadInt32()];
        for (int l = 0; l < lanes.Length; l++)
        {
            string name = reader.ReadString();
            var spans = new TimelineSpan[reader.ReadInt32()];
            for (int s = 0; s < spans.Length; s++)
            {
                string what = reader.ReadString();
                spans[s] = new TimelineSpan(what, ScheduleOperation.TryParse(what, out var operation) ? operation : null, reader.ReadDouble(), reader.ReadDouble());
            }

            lanes[l] = new TimelineLane(name, spans);
        }

        return lanes;
    }
}
