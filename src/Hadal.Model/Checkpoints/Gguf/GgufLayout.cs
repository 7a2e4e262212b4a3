using Hadal.Numerics;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>The tensors of a GGUF file of a checkpoint: names, shapes, and where their values come from.</summary>
/// <param name="source">The checkpoint.</param>
/// <param name="rules">Chooses their types.</param>
internal sealed class GgufLayout(Checkpoint source, GgufTypeRules rules)
{
    private readonly TensorCatalog _catalog = source.Catalog;

    /// <summary>In the order of the computation.</summary>
    public IEnumerable<GgufEntry> Entries()
    {
        yield return Plain(TensorRole.Embedding);
        int layers = source.Config.Layers + source.MtpLayers;
        for (int layer = 0; layer < layers; layer++)
        {
            foreach (var role in _catalog.Layer(layer).Where(t => t is { IsParameter: true, Expert: <= 0 }).Select(t => t.Role))
            {
                switch (role)
                {
                    case TensorRole.LatentUp:
                        yield return LatentKeys(layer);
                        yield return LatentValues(layer);
                        break;
                    case TensorRole.ExpertGate or TensorRole.ExpertUp or TensorRole.ExpertDown:
                        yield return Stack(role, layer);
                        break;
                    default:
                        yield return Plain(role, layer);
                        break;
                }
            }
        }

        yield return Plain(TensorRole.FinalNorm);
        yield return Plain(TensorRole.Head);
    }

    private GgufEntry Plain(TensorRole role, int layer = -1)
    {
        var spec = _catalog.Get(role, layer);
        return Entry(GgufNames.Of(role, layer), spec.Shape, layer, source.Config.RopeInterleave || role is not (TensorRole.Query or TensorRole.QueryUp or TensorRole.LatentDown)
            ? (first, count, rows) => source.ReadRows(spec.Name, first, count, rows)
            : (first, count, rows) => ReadInterleaved(spec, first, rows));
    }

    private GgufEntry Stack(TensorRole role, int layer)
    {
        var one = _catalog.Get(role, layer, 0).Shape;
        return Entry(GgufNames.Of(role, layer), new Shape(source.Config.RoutedExperts, one.Rows, one.Columns), layer, (first, count, rows) =>
        {
            for (int done = 0; done < count;)
            {
                int expert = (int)((first + done) / one.Rows);
                long row = (first + done) % one.Rows;
                int n = (int)Math.Min(count - done, one.Rows - row);
                source.ReadRows(_catalog.Get(role, layer, expert).Name, row, n, rows[(int)(done * one.Columns)..]);
                done += n;
            }
        });
    }

    // Row c of head h is column c of the head's key rows: [heads, latent, nope].
    private GgufEntry LatentKeys(int layer)
    {
        var c = source.Config;
        int nope = c.NopeWidth, rank = c.LatentRank;
        string name = _catalog.Get(TensorRole.LatentUp, layer).Name;
        float[] head = [];
        long held = -1;
        return Entry(GgufNames.LatentKeys(layer), new Shape(c.Heads, rank, nope), layer, (first, count, rows) =>
        {
            if (head.Length == 0) head = new float[checked(nope * rank)];
            for (int i = 0; i < count; i++)
            {
                long h = (first + i) / rank;
                int column = (int)((first + i) % rank);
                if (h != held) source.ReadRows(name, h * (nope + c.ValueWidth), nope, head);
                held = h;
                for (int j = 0; j < nope; j++) rows[i * nope + j] = head[j * rank + column];
            }

            if (first + count < (long)c.Heads * rank) return;
            (head, held) = ([], -1);
        });
    }

    private GgufEntry LatentValues(int layer)
    {
        var c = source.Config;
        string name = _catalog.Get(TensorRole.LatentUp, layer).Name;
        return Entry(GgufNames.LatentValues(layer), new Shape(c.Heads, c.ValueWidth, c.LatentRank), layer, (first, count, rows) =>
        {
            for (int done = 0; done < count;)
            {
                long h = (first + done) / c.ValueWidth, row = (first + done) % c.ValueWidth;
                int n = (int)Math.Min(count - done, c.ValueWidth - row);
                source.ReadRows(name, h * (c.NopeWidth + c.ValueWidth) + c.NopeWidth + row, n, rows[(done * c.LatentRank)..]);
                done += n;
            }
        });
    }

    // GGUF files of this architecture have the rows of a rotary pair side by side. Folders with rope_interleave false have them half the rotary width apart.
    private void ReadInterleaved(TensorSpec spec, long first, Span<float> rows)
    {
        int rope = source.Config.RopeWidth, columns = (int)spec.Shape.Columns;
        int period = spec.Role == TensorRole.LatentDown ? source.Config.CacheWidth : source.Config.QueryHeadWidth, plain = period - rope;
        for (int i = 0; i < rows.Length / columns; i++)
        {
            long start = (first + i) / period * period;
            int place = (int)(first + i - start) - plain;
            long row = place < 0 ? first + i : start + plain + place % 2 * (rope / 2) + place / 2;
            source.ReadRows(spec.Name, row, 1, rows.Slice(i * columns, columns));
        }
    }

    private GgufEntry Entry(string name, Shape shape, int layer, GgufRowSource rows) => new(name, rules.Choose(name, shape, layer), shape, rows);
}
