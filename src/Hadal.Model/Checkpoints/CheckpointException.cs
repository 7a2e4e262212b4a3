namespace Hadal.Model.Checkpoints;

/// <summary>A checkpoint that cannot be read or written, or that does not fit its configuration.</summary>
public sealed class CheckpointException : Exception
{
    /// <summary>A mistake in a file or in one of its tensors.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="tensor">Name of the tensor; null when the file as a whole is wrong.</param>
    /// <param name="problem">One sentence without a full stop: what is wrong and what would be right.</param>
    /// <param name="cause">What the platform reported, if it did.</param>
    public CheckpointException(string path, string? tensor, string problem, Exception? cause = null)
        : base($"{path}: {problem}.", cause) => (Path, TensorName) = (path, tensor);

    /// <summary>The file or folder.</summary>
    public string Path { get; }

    /// <summary>Name of the tensor; null when the file as a whole is wrong.</summary>
    public string? TensorName { get; }
}
