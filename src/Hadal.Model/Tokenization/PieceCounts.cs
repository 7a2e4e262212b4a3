using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>
/// The distinct pieces of a corpus and how often each occurs. Threads cut and count batches of documents, each for itself, and now and then add what they have to
/// tables that all share; sums do not depend on who adds first.
/// </summary>
internal sealed class PieceCounts
{
    private const int Tables = 64;
    private const int BatchCharacters = 1 << 19;
    private const int MostOwnPieces = 1 << 16;
    private const int MostOwnCharacters = 1 << 21;

    // What a distinct piece takes until the end of training, measured: a string and its entry here; for each byte a slot in the chains and its places in the lists of pairs.
    private const int MemoryOfPiece = 96;
    private const int MemoryOfCharacter = 2;
    private const int MemoryOfByte = 48;

    private readonly Dictionary<string, long>[] _tables = [.. Enumerable.Range(0, Tables).Select(static _ => new Dictionary<string, long>(StringComparer.Ordinal))];
    private readonly long _mostMemory;
    private long _memory;
    private long _bytes;

    private PieceCounts(long mostMemory) => _mostMemory = mostMemory;

    /// <summary>The pieces, in no particular order.</summary>
    internal IEnumerable<KeyValuePair<string, long>> All => _tables.SelectMany(static t => t);

    internal int Count => checked((int)_tables.Sum(static t => (long)t.Count));

    /// <summary>The bytes of UTF-8 of all distinct pieces together.</summary>
    internal long Bytes => _bytes;

    /// <summary>Cuts and counts.</summary>
    /// <param name="documents">The corpus; enumerated once, by one thread at a time.</param>
    /// <param name="threads">Threads that cut and count.</param>
    /// <param name="mostMemory">Bytes that training may take.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="TokenizerException">Training on so many distinct pieces would take more memory.</exception>
    internal static PieceCounts Of(IEnumerable<string> documents, int threads, long mostMemory, CancellationToken cancellation)
    {
        PieceCounts counts = new(mostMemory);
        OrderablePartitioner<List<string>> batches = Partitioner.Create(Batches(documents, cancellation), EnumerablePartitionerOptions.NoBuffering);
        try
        {
            Parallel.ForEach(
                batches,
                new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation },
                () => new Own(counts),
                static (batch, _, own) =>
                {
                    foreach (string document in batch) DeepSeekV3Scanner.Split(WellFormedText.Repair(document) ?? document, ref own);
                    return own;
                },
                static own => own.Publish());
        }
        catch (AggregateException e)
        {
            // The same fault may have stopped several threads.
            ExceptionDispatchInfo.Throw(e.Flatten().InnerExceptions[0]);
        }

        return counts;
    }

    private static IEnumerable<List<string>> Batches(IEnumerable<string> documents, CancellationToken cancellation)
    {
        List<string> batch = [];
        long characters = 0;
        foreach (string document in documents)
        {
            cancellation.ThrowIfCancellationRequested();
            batch.Add(document);
            characters += document.Length + 64;
            if (characters < BatchCharacters) continue;
            yield return batch;
            batch = [];
            characters = 0;
        }

        if (batch.Count > 0) yield return batch;
    }

    private void Add(Dictionary<string, long> pieces)
    {
        foreach ((string piece, long count) in pieces)
        {
            Dictionary<string, long> table = _tables[(uint)piece.GetHashCode(StringComparison.Ordinal) % Tables];
            lock (table)
            {
                ref long sum = ref CollectionsMarshal.GetValueRefOrAddDefault(table, piece, out bool known);
                sum += count;
                if (known) continue;
            }

            int bytes = Encoding.UTF8.GetByteCount(piece);
            Interlocked.Add(ref _bytes, bytes);
            if (Interlocked.Add(ref _memory, MemoryOfPiece + (long)MemoryOfCharacter * piece.Length + (long)MemoryOfByte * bytes) > _mostMemory)
                throw new TokenizerException($"the distinct pieces of the corpus need more than the {_mostMemory} bytes of memory allowed; allow more, or take a smaller sample");
        }
    }

    /// <summary>What one thread has counted and not yet published.</summary>
    private readonly struct Own(PieceCounts shared) : IPieceSink
    {
        private readonly Dictionary<string, long> _pieces = new(StringComparer.Ordinal);
        private readonly StrongBox<int> _characters = new();

        public void Add(ReadOnlySpan<char> piece)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_pieces.GetAlternateLookup<ReadOnlySpan<char>>(), piece, out bool known)++;
            if (known) return;
            _characters.Value += piece.Length;
            if (_pieces.Count >= MostOwnPieces || _characters.Value >= MostOwnCharacters) Publish();
        }

        public void AddMapped(ReadOnlySpan<char> piece) => throw new System.Diagnostics.UnreachableException();

        internal void Publish()
        {
            shared.Add(_pieces);
            _pieces.Clear();
            _characters.Value = 0;
        }
    }
}
