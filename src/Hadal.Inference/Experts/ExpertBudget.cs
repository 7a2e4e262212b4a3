using System.Globalization;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Inference.Experts;

/// <summary>How a limit on memory is spent.</summary>
/// <param name="Memory">Bytes allowed in all.</param>
/// <param name="Resident">Bytes of the weights that are always kept.</param>
/// <param name="Readers">Threads that read experts.</param>
/// <param name="StageBytes">Bytes into which each of them reads.</param>
/// <param name="ExpertBytes">Bytes of the largest expert, arranged.</param>
public sealed record ExpertBudget(long Memory, long Resident, int Readers, long StageBytes, long ExpertBytes)
{
    /// <summary>Bytes that are set aside for the runtime: its code, compiled code, and managed objects such as the tokenizer.</summary>
    public const long Runtime = 128L << 20;

    /// <summary>Bytes left to experts if nothing else were needed for a step.</summary>
    public long Experts => Memory - Runtime - Resident - Readers * StageBytes;

    internal static ExpertBudget Of(Checkpoint checkpoint, LoadOptions options, IBackend backend, int mtpLayers, long memory)
    {
        var (config, catalog, formats) = (checkpoint.Config, checkpoint.Catalog, new WeightFormats(checkpoint, options.Weights));
        var specs = catalog.Main.Concat(Enumerable.Range(config.Layers, mtpLayers).SelectMany(catalog.Layer)).Where(t => t.IsParameter);
        long resident = 0, gate = 0, up = 0, down = 0, stage = 0;
        foreach (var spec in specs)
        {
            if (spec.Expert > 0) continue;
            long bytes = Bytes(spec, formats.Of(spec.Role, [spec.Name]));
            switch (spec.Role)
            {
                case TensorRole.Embedding:
                    // It is looked up where it lies in the file.
                    break;
                case TensorRole.LatentUp:
                    // Once as stored and once cut by heads; the latter may have to be FP32.
                    resident += bytes + Math.Max(bytes, formats.Of(spec.Role, [spec.Name]) is WeightFormat.Fp8 or WeightFormat.Fp8W8A8 ? spec.Count * sizeof(float) : 0);
                    break;
                case TensorRole.ExpertGate:
                    gate = Math.Max(gate, bytes);
                    stage = Math.Max(stage, 3 * spec.Count * StageSize(spec));
                    break;
                case TensorRole.ExpertUp:
                    up = Math.Max(up, bytes);
                    break;
                case TensorRole.ExpertDown:
                    down = Math.Max(down, bytes);
                    break;
                default:
                    resident += bytes;
                    break;
            }
        }

        int readers = options.ExpertReaders > 0 ? options.ExpertReaders : Math.Clamp(Environment.ProcessorCount / 2, 4, 8);
        var budget = new ExpertBudget(memory, resident, readers, stage + (64 << 10), gate + up + down);
        if (budget.Experts >= budget.ExpertBytes) return budget;
        throw new GenerationException(
            $"{Mebibytes(memory)} of memory are too few for {checkpoint.Folder}: what is always kept takes {Mebibytes(resident + Runtime + readers * budget.StageBytes)}, and an expert "
            + $"{Mebibytes(budget.ExpertBytes)}; allow at least {Mebibytes(memory - budget.Experts + config.ExpertsPerToken * budget.ExpertBytes)}.");

        long Bytes(TensorSpec spec, WeightFormat format)
        {
            if (spec.Shape.Rank == 1) return spec.Count * sizeof(float);
            using var packed = backend.CreatePacked(format, 1, checked((int)spec.Shape.Rows), checked((int)spec.Shape.Columns));
            return packed.MatrixBytes;
        }

        // Codes are read as they are where the format can take them; otherwise they are widened on the way.
        int StageSize(TensorSpec spec) => formats.Of(spec.Role, [spec.Name]) == WeightFormat.F32 ? 8 : checkpoint.Get(spec.Name).Type switch { DType.F8E4M3 => 1, DType.BF16 => 2, _ => 8 };
    }

    private static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(bytes / 1048576.0):0} MiB");
}
