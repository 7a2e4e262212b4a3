using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>How <see cref="CheckpointWriter"/> writes a folder.</summary>
public sealed record CheckpointOptions
{
    /// <summary>Type of the weights: F32; BF16 rounded to nearest even; or F8E4M3 for matrices of attention and MLPs in FP8 blocks of 128 × 128 with a scale
    /// each, everything else BF16. Router biases are always F32.</summary>
    public DType Type { get; init; } = DType.BF16;

    /// <summary>Most bytes of a file; a larger checkpoint is cut into shards with an index. A tensor is never cut.</summary>
    public long ShardBytes { get; init; } = 5_000_000_000;

    /// <summary>Whether MTP modules get their copies of embedding and head, as DeepSeek's folders have them and other programs expect.</summary>
    public bool MtpCopies { get; init; } = true;

    /// <summary>Files that are copied into the folder under their own names, such as <c>tokenizer.json</c>.</summary>
    public IReadOnlyList<string> CopiedFiles { get; init; } = [];

    /// <summary>Further files: name and content.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> AddedFiles { get; init; } = new Dictionary<string, ReadOnlyMemory<byte>>();
}
