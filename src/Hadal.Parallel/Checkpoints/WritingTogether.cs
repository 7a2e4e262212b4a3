using System.Runtime.InteropServices;
using System.Text;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;
using Hadal.Parallel.Communication;

namespace Hadal.Parallel.Checkpoints;

/// <summary>Several ranks fill one folder that appears under its name only when all of them are done: rank 0 makes, completes and renames it, and all of them end alike.</summary>
internal sealed class WritingTogether(ICollective ranks, IBackend backend)
{
    // Of paths and messages, in integers.
    private const int MostWords = 1024;

    /// <summary>Fills a folder.</summary>
    /// <param name="folder">Its final name.</param>
    /// <param name="makes">On rank 0: makes a folder, has it filled by what it is given, and puts it under its name.</param>
    /// <param name="fill">On every rank: writes its part into a folder.</param>
    /// <exception cref="CheckpointException">On every rank, if one of them could not.</exception>
    public void Run(string folder, Action<Action<string>> makes, Action<string> fill)
    {
        if (ranks.Rank == 0) Lead(folder, makes, fill);
        else Follow(folder, fill);
    }

    /// <summary>Tells all ranks a text of rank 0.</summary>
    public string Tell(string text)
    {
        var words = new int[MostWords];
        if (ranks.Rank == 0)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            int count = Math.Min(bytes.Length, (MostWords - 1) * sizeof(int));
            words[0] = count;
            bytes.AsSpan(0, count).CopyTo(MemoryMarshal.AsBytes(words.AsSpan(1)));
        }

        using var storage = backend.CreateStorage(MostWords * sizeof(int));
        var tensor = storage.View(0, DType.I32, new Shape(MostWords));
        backend.Write(words, tensor);
        ranks.Broadcast(tensor, 0).Wait();
        backend.Read(tensor, words);
        return Encoding.UTF8.GetString(MemoryMarshal.AsBytes(words.AsSpan(1))[..words[0]]);
    }

    private void Lead(string folder, Action<Action<string>> makes, Action<string> fill)
    {
        bool isTold = false;
        Exception? problem = null;
        try
        {
            makes(temporary =>
            {
                Tell(temporary);
                isTold = true;
                string own = Attempt(() => fill(temporary));
                if (FirstOf(own) is { } complaint) throw new CheckpointException(folder, null, complaint);
            });
        }
        catch (Exception e) when (e is CheckpointException or IOException or UnauthorizedAccessException)
        {
            problem = e;
        }

        if (!isTold) Tell("");
        Tell(problem?.Message ?? "");
        if (problem is not null) throw problem as CheckpointException ?? new CheckpointException(folder, null, problem.Message, problem);
    }

    private void Follow(string folder, Action<string> fill)
    {
        string temporary = Tell("");
        if (temporary.Length > 0) FirstOf(Attempt(() => fill(temporary)));
        string problem = Tell("");
        if (problem.Length > 0) throw new CheckpointException(folder, null, problem);
    }

    private static string Attempt(Action fill)
    {
        try
        {
            fill();
            return "";
        }
        catch (Exception e) when (e is CheckpointException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    // What went wrong on the first rank where something did.
    private string? FirstOf(string own)
    {
        const int Room = 512;
        var bytes = new byte[Room];
        Encoding.UTF8.GetEncoder().Convert(own, bytes, flush: true, out _, out _, out _);
        byte[] all = ranks.AllGather<byte>(backend, bytes);
        for (int r = 0; r < ranks.Size; r++)
        {
            var said = all.AsSpan(r * Room, Room);
            int end = said.IndexOf((byte)0);
            if (end != 0) return $"rank {r}: {Encoding.UTF8.GetString(said[..(end < 0 ? Room : end)])}";
        }

        return null;
    }
}
