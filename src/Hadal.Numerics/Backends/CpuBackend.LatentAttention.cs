using Hadal.Numerics.Kernels;

namespace Hadal.Numerics;

public sealed unsafe partial class CpuBackend
{
    // Partial results of so many bytes are kept at a time; more rows take their turns.
    private const nint MostPartialBytes = 64 << 20;
    private const int ItemsPerThread = 4;
    private readonly NativeRoom _latentRoom = new();
    private readonly Lock _latentGate = new();

    /// <inheritdoc/>
    public void LatentAttention(
        Tensor qLatent, Tensor qRope, Tensor cache, int pageTokens, Tensor pageTables, Tensor sequences, Tensor lengths, int heads, float scale, Tensor o)
    {
        Require(pageTokens is >= 1 and <= 256 && cache.Rows % pageTokens == 0, nameof(LatentAttention), cache, $"has to hold whole pages of 1 to 256 tokens, not {pageTokens}");
        int rows = qLatent.Rows, rank = qLatent.Columns / heads, rope = qRope.Columns;
        RequireShape(qLatent, rows, (long)heads * rank);
        RequireShape(qRope, (long)rows * heads, rope);
        RequireShape(o, rows, (long)heads * rank);
        int* tables = Integers(pageTables, pageTables.Count);
        int* sequenceOf = Integers(sequences, rows);
        int* lengthOf = Integers(lengths, rows);
        CheckPages(tables, pageTables, sequenceOf, lengthOf, rows, pageTokens, cache.Rows / pageTokens);
        var cached = CacheRows(cache, rank, rope, nameof(LatentAttention));
        var shape = new LatentShape(heads, rank, rope, cache.Type);
        if (_form == KernelForm.Reference)
        {
            var reference = new LatentReference
            {
                Shape = shape,
                QLatent = Rows(qLatent),
                QRope = Rows(qRope),
                O = Rows(o),
                Cache = cached,
                PageTokens = pageTokens,
                TableStride = pageTables.Columns,
                PageTables = tables,
                Sequences = sequenceOf,
                Lengths = lengthOf,
                Scale = scale,
            };
            _team.Run(rows * heads, ref reference);
            return;
        }

        bool assembled = cache.Type != DType.F32 && LatentKernels.Has(_form);
        lock (_latentGate) Attend(
            new LatentAttentionKernel
            {
                Shape = shape,
                Cache = cached,
                Form = _form,
                Assembled = assembled,
                PageTokens = pageTokens,
                TableStride = pageTables.Columns,
                PageTables = tables,
                Sequences = sequenceOf,
                Lengths = lengthOf,
                Scale = scale,
                QueryBytes = LatentQueriesKernel.Bytes(shape, assembled),
                PartialFloats = LatentAttentionKernel.PartialLength(shape),
                WorkerBytes = LatentWork.Bytes(shape, assembled),
            },
            Rows(qLatent),
            Rows(qRope),
            Rows(o));
    }

    /// <inheritdoc/>
    public void WriteLatents(Tensor latents, int rank, Tensor cache)
    {
        RequireShape(latents, cache.Rows, latents.Columns);
        RunLatentRows(latents, rank, cache, store: true, nameof(WriteLatents));
    }

    /// <inheritdoc/>
    public void ReadLatents(Tensor cache, int rank, Tensor latents)
    {
        RequireShape(latents, cache.Rows, latents.Columns);
        RunLatentRows(latents, rank, cache, store: false, nameof(ReadLatents));
    }

    // As many rows at a time as their partial results have room.
    private void Attend(LatentAttentionKernel kernel, Matrix qLatent, Matrix qRope, Matrix o)
    {
        var shape = kernel.Shape;
        nint partialBytes = kernel.PartialFloats * sizeof(float) * shape.Groups;
        for (int first = 0, rows; first < qLatent.Rows; first += rows)
        {
            int chunks = 0;
            rows = 0;
            while (first + rows < qLatent.Rows)
            {
                int more = Items(kernel.Lengths[first + rows], LatentShape.ChunkKeys(kernel.Lengths[first + rows]));
                if (rows > 0 && (chunks + more) * partialBytes > MostPartialBytes) break;
                chunks += more;
                rows++;
            }

            nint startBytes = ((nint)(rows + 1) * sizeof(int) + 63) & ~63, queryBytes = rows * shape.Groups * kernel.QueryBytes;
            byte* memory = _latentRoom.Get(startBytes + queryBytes + chunks * partialBytes + _team.Threads * kernel.WorkerBytes);
            int* starts = (int*)memory;
            starts[0] = 0;
            for (int i = 0; i < rows; i++)
            {
                int length = kernel.Lengths[first + i];
                starts[i + 1] = starts[i] + Items(length, LatentShape.ChunkKeys(length));
            }

            kernel.FirstRow = first;
            kernel.Rows = rows;
            kernel.ChunkStarts = starts;
            kernel.Queries = memory + startBytes;
            kernel.Partials = (float*)(kernel.Queries + queryBytes);
            kernel.Workers = (byte*)kernel.Partials + chunks * partialBytes;
            Run(rows * shape.Groups, new LatentQueriesKernel
            {
                Shape = shape,
                QLatent = qLatent,
                QRope = qRope,
                Queries = kernel.Queries,
                QueryBytes = kernel.QueryBytes,
                FirstRow = first,
                Assembled = kernel.Assembled,
            });

            // Rows that are copied before use are copied once for as many groups as leave every thread enough to do.
            kernel.GroupsPerItem = shape.Type == DType.F8E4M3 ? Math.Clamp(chunks * shape.Groups / (_team.Threads * ItemsPerThread), 1, shape.Groups) : 1;
            kernel.GroupItems = Items(shape.Groups, kernel.GroupsPerItem);
            Run(chunks * kernel.GroupItems, kernel);
            int headsPerItem = Math.Max(1, LeastPerItem * rows / (chunks * shape.Rank));
            Run(Items(rows * shape.Heads, headsPerItem), new LatentMergeKernel
            {
                Shape = shape,
                HeadsPerItem = headsPerItem,
                O = o,
                FirstRow = first,
                Rows = rows,
                ChunkStarts = starts,
                Partials = kernel.Partials,
                PartialFloats = kernel.PartialFloats,
            });
        }
    }

    private void RunLatentRows(Tensor latents, int rank, Tensor cache, bool store, string operation)
    {
        int rope = latents.Columns - rank;
        Require(rank >= 1 && rope >= 0, operation, latents, $"has no {rank} latent columns");
        int perItem = RowsPerItem(latents.Rows, latents.Columns);
        Run(Items(latents.Rows, perItem), new LatentRowsKernel
        {
            Values = Rows(latents),
            Cache = CacheRows(cache, rank, rope, operation),
            RowsPerItem = perItem,
            Store = store,
        });
    }

    private static LatentRows CacheRows(Tensor cache, int rank, int rope, string operation)
    {
        Require(cache.Type is DType.F32 or DType.BF16 or DType.F8E4M3, operation, cache, "has to be F32, BF16 or F8E4M3");
        int columns = LatentShape.CacheColumns(cache.Type, rank, rope);
        RequireShape(cache, cache.Rows, columns, operation);
        return new LatentRows(Address(cache), (nint)cache.RowStride * cache.Type.SizeOf(), cache.Type, rank, rope);
    }

    private static void CheckPages(int* tables, Tensor pageTables, int* sequences, int* lengths, int rows, int pageTokens, int pages)
    {
        CheckIndices(sequences, rows, pageTables.Rows, nameof(LatentAttention));
        for (int t = 0; t < rows; t++)
        {
            int used = lengths[t] < 1 ? 0 : (lengths[t] - 1) / pageTokens + 1;
            if (used < 1 || used > pageTables.Columns)
                throw new ArgumentException($"LatentAttention: row {t} sees {lengths[t]} tokens; the page tables hold 1 to {pageTables.Columns * pageTokens}.");
            CheckIndices(tables + (nint)sequences[t] * pageTables.Columns, used, pages, nameof(LatentAttention));
        }
    }
}
