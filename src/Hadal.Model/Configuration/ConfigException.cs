namespace Hadal.Model.Configuration;

/// <summary>A model configuration that cannot be read, contradicts itself, or describes something that is not a DeepSeek model.</summary>
public sealed class ConfigException : Exception
{
    /// <summary>A mistake in one field.</summary>
    /// <param name="path">The file, or what stands for it.</param>
    /// <param name="field">Name of the field as it stands in <c>config.json</c>; null when the file as a whole is wrong.</param>
    /// <param name="problem">One sentence without a full stop: what is wrong and what would be right.</param>
    /// <param name="cause">What the platform reported, if it did.</param>
    public ConfigException(string path, string? field, string problem, Exception? cause = null)
        : base($"{path}: {problem}.", cause) => (Path, Field) = (path, field);

    /// <summary>The file, or what stands for it.</summary>
    public string Path { get; }

    /// <summary>Name of the field, with the names of the objects around it before a dot; null when the file as a whole is wrong.</summary>
    public string? Field { get; }
}
