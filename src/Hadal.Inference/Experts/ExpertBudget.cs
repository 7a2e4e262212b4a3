using System.Globalization;
using Hadal.Inference.Weights;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Inference.Experts;

/// <summary>How a limit on memory is spent.</summary>
/// <param name="Memory">Bytes allowed in all.</param>
/// <param name="Resident">Bytes of the weights that are always kept.</param>
/// <param name="Readers">Threads that read experts.</param>
/// <param name="Stages">Experts that are being read, or read and not arranged yet, at most.</param>
/// <param name="StageBytes">Bytes of the largest expert as the files have it.</param>
/// <param name="RoomBytes">Bytes for weights that are widened on their way.</param>
/// <param name="ExpertBytes">Bytes of the largest expert, arranged.</param>
public sealed record ExpertBudget(long Memory, long Resident, int Readers, int Stages, long StageBytes, long RoomBytes, long ExpertBytes)
{
    /// <summary>Bytes that are set aside for the runtime: its code, compiled code, and managed objects such as the tokenizer.</summary>
    public const long Runtime = 128L << 20;

    private const int MoreStages = 6;

    /// <summary>Bytes left to experts if nothing else were needed for a step.</summary>
    public long Experts => Memory - Runtime - Resident - Reading;

    /// <summary>Bytes that reading takes.</summary>
    public long Reading => Stages * StageBytes + RoomBytes;

    internal static ExpertBudget Of(Checkpoint checkpoint, LoadOptions options, IBackend backend, int mtpLayers, long memory)
    {
        var (config, catalog, formats) = (checkpoint.Config, checkpoint.Catalog, new WeightFormats(checkpoint, options.Weights));
        var specs = catalog.Main.Concat(Enumerable.Range(config.Layers, mtpLayers).SelectMany(catalog.Layer)).Where(t => t.IsParameter);
        long resident = 0, gate = 0, up = 0, down = 0, stage = 0, room = 0;
        int readers = options.ExpertReaders > 0 ? options.ExpertReaders : Math.Clamp(Environment.ProcessorCount / 2, 2, 8);
        foreach (var spec in specs)
        {
            if (spec.Expert > 0) continue;
            var format = formats.Of(spec.Role, [spec.Name]);
            long bytes = Bytes(spec, format);
            switch (spec.Role)
            {
                case TensorRole.Embedding:
                    // It is looked up where it lies in the file.
                    break;
                case TensorRole.LatentUp:
                    // Once as stored and once cut by heads; the latter may have to be FP32.
                    resident += bytes + Math.Max(bytes, format is WeightFormat.Fp8 or WeightFormat.Fp8W8A8 ? spec.Count * sizeof(float) : 0);
                    break;
                case TensorRole.ExpertGate:
                    gate = Math.Max(gate, bytes);
                    stage = Math.Max(stage, StageSize(spec));
                    // FP32 weights are filled from one matrix; what no stage takes is widened by each reader.
                    if (format == WeightFormat.F32) room = Math.Max(room, 2 * spec.Count * sizeof(float));
                    if (!ExpertStage.Takes(checkpoint, spec, format)) room = Math.Max(room, readers * 3 * spec.Count * sizeof(float));
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

        // While some are filled, others wait to be arranged.
        int stages = options.Experts == ExpertPolicy.Mapped ? 0 : readers + MoreStages;
        var budget = new ExpertBudget(memory, resident, readers, stages, (stage + ExpertStage.Slack) / StreamedFile.Block * StreamedFile.Block, room, gate + up + down);
        if (budget.Experts >= budget.ExpertBytes) return budget;
        throw new GenerationException(
            $"{Mebibytes(memory)} of memory are too few for {checkpoint.Folder}: what is always kept takes {Mebibytes(resident + Runtime + budget.Reading)}, and an expert "
            + $"{Mebibytes(budget.ExpertBytes)}; allow at least {Mebibytes(memory - budget.Experts + config.ExpertsPerToken * budget.ExpertBytes)}.");

        long Bytes(TensorSpec spec, WeightFormat format)
        {
            if (spec.Shape.Rank == 1) return spec.Count * sizeof(float);
            using var packed = backend.CreatePacked(format, 1, checked((int)spec.Shape.Rows), checked((int)spec.Shape.Columns));
            return packed.MatrixBytes;
        }

        // Gate, up and down as they are stored; of a GGUF file each may have its own type.
        long StageSize(TensorSpec gate) =>
            ((TensorRole[])[TensorRole.ExpertGate, TensorRole.ExpertUp, TensorRole.ExpertDown]).Sum(role => StoredSize(catalog.Get(role, gate.Layer, gate.Expert)));

        long StoredSize(TensorSpec spec) =>
            checkpoint.Get(spec.Name).ByteLength + (catalog.Scales(spec) is { } scales && checkpoint.Contains(scales.Name) ? checkpoint.Get(scales.Name).ByteLength : 0);
    }

    private static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(bytes / 1048576.0):0} MiB");
}
