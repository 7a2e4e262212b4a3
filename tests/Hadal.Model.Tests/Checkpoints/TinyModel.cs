using System.Runtime.InteropServices;
using Hadal.Model.Checkpoints;
using Hadal.Model.Configuration;
using Hadal.Model.Routing;
using Hadal.Numerics;

namespace Hadal.Model.Tests.Checkpoints;

/// <summary>Models of a few thousand parameters whose values follow from names and positions.</summary>
internal static class TinyModel
{
    public static ModelConfig Config { get; } = new()
    {
        VocabularySize = 20,
        HiddenSize = 8,
        Layers = 2,
        MtpLayers = 1,
        Heads = 2,
        QueryLatentRank = 6,
        LatentRank = 6,
        NopeWidth = 4,
        RopeWidth = 2,
        ValueWidth = 4,
        DenseWidth = 12,
        ExpertWidth = 4,
        RoutedExperts = 4,
        ExpertsPerToken = 2,
        Groups = 2,
        KeptGroups = 1,
        DenseLayers = 1,
        MaxPositions = 64,
    };

    /// <summary>One dense layer without experts; its MLP has the golden FP8 matrices' shape.</summary>
    public static ModelConfig Dense(int hidden, int inner) => Config with
    {
        HiddenSize = hidden,
        DenseWidth = inner,
        Layers = 1,
        DenseLayers = 1,
        MtpLayers = 0,
        RoutedExperts = 0,
        ExpertsPerToken = 0,
        SharedExperts = 0,
        Choice = ChoiceMethod.Greedy,
        Groups = 1,
        KeptGroups = 1,
        QueryLatentRank = null,
    };

    /// <summary>A value that no other place in the model is likely to have.</summary>
    public static float Value(string name, long index) => (float)Math.Sin(name.Sum(c => (int)c) + name.Length * 0.37 + index * 0.7316);

    public static void Values(TensorSpec tensor, long firstRow, int rowCount, Span<float> destination)
    {
        long first = firstRow * tensor.Shape.Columns;
        for (int i = 0; i < destination.Length; i++) destination[i] = Value(tensor.Name, first + i);
    }

    /// <summary>Writes a folder as it is, file by file, with the given changes to what the files say.</summary>
    public static void WriteRaw(string folder, ModelConfig config, Func<TensorSpec, IEnumerable<(SafetensorsEntry Entry, byte[] Content)>> change)
    {
        Directory.CreateDirectory(folder);
        config.Save(Path.Combine(folder, "config.json"));
        var tensors = new TensorCatalog(config).Tensors.SelectMany(change).ToDictionary(t => t.Entry.Name);
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), tensors.Values.Select(t => t.Entry), (t, stream) => stream.Write(tensors[t.Name].Content));
    }

    /// <summary>A tensor as the catalog has it, in FP32; zeros for types of fewer bits.</summary>
    public static (SafetensorsEntry Entry, byte[] Content) AsSpecified(TensorSpec tensor)
    {
        var entry = new SafetensorsEntry(tensor.Name, tensor.Type == DType.BF16 ? DType.F32 : tensor.Type, tensor.Shape);
        if (entry.Type != DType.F32) return (entry, new byte[entry.ByteLength]);
        var values = new float[tensor.Count];
        Values(tensor, 0, (int)tensor.Shape.Rows, values);
        return (entry, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
    }
}
