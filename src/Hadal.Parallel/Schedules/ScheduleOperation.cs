using System.Globalization;

namespace Hadal.Parallel.Schedules;

/// <summary>What a rank computes in one step.</summary>
/// <param name="Kind">Forward, backward, or both.</param>
/// <param name="Chunk">The chunk; with <see cref="OperationKind.ForwardAndBackward"/> the one that goes forward.</param>
/// <param name="Other">With <see cref="OperationKind.ForwardAndBackward"/> the one that goes backward; otherwise the same as <paramref name="Chunk"/>.</param>
public readonly record struct ScheduleOperation(OperationKind Kind, ChunkId Chunk, ChunkId Other)
{
    /// <summary>An operation on one chunk.</summary>
    /// <param name="kind">Anything but both.</param>
    /// <param name="chunk">The chunk.</param>
    public ScheduleOperation(OperationKind kind, ChunkId chunk)
        : this(kind, chunk, chunk)
    {
    }

    /// <summary>The chunk that goes forward, if one does.</summary>
    public ChunkId? Forward => Kind is OperationKind.Forward or OperationKind.ForwardAndBackward ? Chunk : null;

    /// <summary>The chunk whose input gradient is computed, if one is.</summary>
    public ChunkId? Backward => Kind is OperationKind.Backward or OperationKind.BackwardForInputs or OperationKind.ForwardAndBackward ? Other : null;

    /// <summary>The chunk whose weight gradient is computed, if one is.</summary>
    public ChunkId? Weights => Kind is OperationKind.Backward or OperationKind.WeightGradient or OperationKind.ForwardAndBackward ? Other : null;

    /// <summary>Such as <c>F.0.3</c>, <c>B.1.2</c>, <c>Bi.0.7</c>, <c>W.0.7</c>, <c>FB.0.3.1.1</c>.</summary>
    public override string ToString() => Kind switch
    {
        OperationKind.Forward => $"F.{Chunk}",
        OperationKind.Backward => $"B.{Chunk}",
        OperationKind.BackwardForInputs => $"Bi.{Chunk}",
        OperationKind.WeightGradient => $"W.{Chunk}",
        _ => $"FB.{Chunk}.{Other}",
    };

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    /// <param name="text">Such as <c>FB.0.3.1.1</c>.</param>
    /// <param name="operation">The operation.</param>
    /// <returns>Whether it is one.</returns>
    public static bool TryParse(string text, out ScheduleOperation operation)
    {
        ArgumentNullException.ThrowIfNull(text);
        operation = default;
        string[] parts = text.Split('.');
        OperationKind? kind = parts[0] switch
        {
            "F" => OperationKind.Forward,
            "B" => OperationKind.Backward,
            "Bi" => OperationKind.BackwardForInputs,
            "W" => OperationKind.WeightGradient,
            "FB" => OperationKind.ForwardAndBackward,
            _ => null,
        };
        if (kind is not { } known || parts.Length != (known == OperationKind.ForwardAndBackward ? 5 : 3)) return false;
        var numbers = new int[parts.Length - 1];
        for (int i = 0; i < numbers.Length; i++)
            if (!int.TryParse(parts[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i])) return false;
        ChunkId chunk = new(numbers[0], numbers[1]), other = new(numbers[^2], numbers[^1]);
        if (chunk.Direction > 1 || other.Direction > 1) return false;
        operation = new ScheduleOperation(known, chunk, other);
        return true;
    }
}
