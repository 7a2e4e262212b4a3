using System.Buffers;
using System.Numerics;
using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>The weights in a Hugging Face folder: <c>config.json</c> with one <c>model.safetensors</c>, or with shards and their index.</summary>
/// <remarks>
/// Files are mapped, not read: opening costs little memory whatever their size. Opening checks that every tensor of the configuration is there with
/// its shape and a fitting type. Reading is safe from several threads at once.
/// </remarks>
public sealed class Checkpoint : IDisposable
{
    /// <summary>Name of the file of a checkpoint that is not sharded.</summary>
    public const string SingleFileName = "model.safetensors";

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, (SafetensorsFile File, SafetensorsTensor Tensor)> _byName = [];

    private Checkpoint(string folder, ModelConfig config) => (Folder, Config, Catalog) = (folder, config, new TensorCatalog(config));

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>What <c>config.json</c> says.</summary>
    public ModelConfig Config { get; }

    /// <summary>The tensors that follow from <see cref="Config"/>.</summary>
    public TensorCatalog Catalog { get; }

    /// <summary>The tensors of the files, by file and place in it.</summary>
    public IReadOnlyList<CheckpointTensor> Tensors { get; private set; } = [];

    /// <summary>MTP modules whose weights are there: <see cref="ModelConfig.MtpLayers"/>, or fewer, since programs that do not use them often leave them out.
    /// Whoever writes this checkpoint anew writes a configuration with this number.</summary>
    public int MtpLayers { get; private set; }

    /// <summary>Opens a folder and checks its tensors against its configuration.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>The open checkpoint.</returns>
    /// <exception cref="ConfigException"><c>config.json</c> is missing or wrong.</exception>
    /// <exception cref="CheckpointException">A file is missing or malformed, or a tensor is missing or has the wrong shape or type.</exception>
    public static Checkpoint Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        AtomicFolder.Recover(folder);
        if (!Directory.Exists(folder))
            throw new CheckpointException(folder, null, File.Exists(folder) ? "this is a file, but must be a model folder" : "there is no such folder");
        var checkpoint = new Checkpoint(folder, ModelConfig.Load(folder));
        try
        {
            checkpoint.OpenFiles();
            checkpoint.CheckTensors();
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Whether a tensor can be read.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>True also for an MTP module's copy of embedding or head that the files leave out.</returns>
    public bool Contains(string name) => _byName.ContainsKey(name);

    /// <summary>Looks a tensor up.</summary>
    /// <param name="name">Its name. The MTP modules' copies of embedding and head lead to the originals if the files leave them out.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="CheckpointException">There is no such tensor.</exception>
    public CheckpointTensor Get(string name)
    {
        var (file, tensor) = Find(name);
        return Described(file, tensor);
    }

    /// <summary>A tensor where it lies, without a copy; valid until the checkpoint is disposed.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The view, read-only, in the type of the file.</returns>
    /// <exception cref="CheckpointException">There is no such tensor, or it is not aligned to its element size and can only be copied.</exception>
    public Tensor View(string name)
    {
        var (file, tensor) = Find(name);
        return file.View(tensor.Name);
    }

    /// <summary>Where the bytes of a tensor lie, for those who read files themselves.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="place">The place of its elements, which have the type that <see cref="Get"/> says.</param>
    /// <returns>False if the elements do not lie in a file in that form.</returns>
    /// <exception cref="CheckpointException">There is no such tensor.</exception>
    public bool TryPlace(string name, out TensorPlace place)
    {
        var (file, tensor) = Find(name);
        place = new TensorPlace(file.Path, tensor.Offset, tensor.ByteLength);
        return true;
    }

    /// <summary>Copies a tensor, widened to FP32; FP8 weights are multiplied by their block scales.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="destination">Receives all elements; at least as many as the tensor has.</param>
    /// <exception cref="CheckpointException">There is no such tensor, or it holds no floating-point numbers.</exception>
    public void ReadSingle(string name, Span<float> destination) => ReadRows(name, 0, Find(name).Tensor.Shape.Rows, destination);

    /// <summary>Copies a range of rows of a tensor, widened to FP32; FP8 weights are multiplied by their block scales.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="firstRow">First row; a vector is one row.</param>
    /// <param name="rowCount">How many.</param>
    /// <param name="destination">Receives [rowCount, columns] elements.</param>
    /// <exception cref="CheckpointException">There is no such tensor, or it holds no floating-point numbers.</exception>
    /// <exception cref="ArgumentException">The rows are outside the tensor, or there is not enough room.</exception>
    public void ReadRows(string name, long firstRow, long rowCount, Span<float> destination)
    {
        var (file, tensor) = Find(name);
        long columns = tensor.Shape.Columns;
        if (firstRow < 0 || rowCount < 0 || firstRow > tensor.Shape.Rows - rowCount)
            throw new ArgumentOutOfRangeException(nameof(firstRow), $"Rows {firstRow}..{firstRow + rowCount} are not in {name}, which is {tensor.Shape}.");
        if (columns > 0 && rowCount > destination.Length / columns)
            throw new ArgumentException($"{rowCount} rows of {columns} do not fit in {destination.Length} elements.", nameof(destination));
        destination = destination[..(int)(rowCount * columns)];
        file.Read(tensor, firstRow * columns, destination);
        if (tensor.Type == DType.F8E4M3 && Config.Quantization is { } blocks && _byName.TryGetValue(tensor.Name + TensorSpec.ScaleSuffix, out var scales))
            Scale(destination, firstRow, (int)columns, blocks, scales.File, scales.Tensor);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
        _files.Clear();
    }

    // w[i, j] = code[i, j] · scale[i / block rows, j / block columns] (section 3.3.2; the files' README calls the factor "scale_inv").
    private static void Scale(Span<float> rows, long firstRow, int columns, BlockQuantization blocks, SafetensorsFile file, SafetensorsTensor scales)
    {
        if (columns == 0) return;
        int width = (int)scales.Shape.Columns;
        float[] rented = ArrayPool<float>.Shared.Rent(width);
        var factors = rented.AsSpan(0, width);
        long loaded = -1;
        for (int i = 0; i < rows.Length / columns; i++)
        {
            long blockRow = (firstRow + i) / blocks.BlockRows;
            if (blockRow != loaded) file.Read(scales, (loaded = blockRow) * width, factors);
            var row = rows.Slice(i * columns, columns);
            for (int b = 0; b < width; b++)
            {
                int start = b * blocks.BlockColumns;
                Multiply(row.Slice(start, Math.Min(blocks.BlockColumns, columns - start)), factors[b]);
            }
        }

        ArrayPool<float>.Shared.Return(rented);
    }

    private static void Multiply(Span<float> values, float factor)
    {
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(values[i..]) * factor).CopyTo(values[i..]);
        for (; i < values.Length; i++) values[i] *= factor;
    }

    private static CheckpointTensor Described(SafetensorsFile file, SafetensorsTensor tensor) =>
        new(tensor.Name, tensor.Type, tensor.Shape, Path.GetFileName(file.Path));

    private (SafetensorsFile File, SafetensorsTensor Tensor) Find(string name) =>
        _byName.TryGetValue(name, out var found) ? found : throw new CheckpointException(Folder, name, $"there is no tensor {name} in the checkpoint");

    private void OpenFiles()
    {
        string index = Path.Combine(Folder, CheckpointIndex.FileName), single = Path.Combine(Folder, SingleFileName);
        if (File.Exists(index))
        {
            var map = CheckpointIndex.Load(index);
            if (File.Exists(single) && !map.ContainsValue(SingleFileName))
                throw new CheckpointException(Folder, null,
                    $"both {SingleFileName} and {CheckpointIndex.FileName} are there, and the index does not use the file; remove the one that is not meant");
            OpenShards(map, index);
        }
        else if (File.Exists(single))
        {
            var file = SafetensorsFile.Open(single);
            _files.Add(file);
            foreach (var tensor in file.Tensors) _byName.Add(tensor.Name, (file, tensor));
        }
        else
        {
            throw new CheckpointException(Folder, null, $"the folder has neither {SingleFileName} nor {CheckpointIndex.FileName}");
        }

        Tensors = [.. _byName.Values.Select(t => Described(t.File, t.Tensor))];
    }

    private void OpenShards(Dictionary<string, string> map, string index)
    {
        foreach (var shard in map.GroupBy(entry => entry.Value, entry => entry.Key).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            string path = Path.Combine(Folder, shard.Key);
            if (!File.Exists(path))
                throw new CheckpointException(path, null,
                    $"the shard is missing, but {CheckpointIndex.FileName} puts {shard.Count()} tensors into it, {shard.First()} among them");
            var file = SafetensorsFile.Open(path);
            _files.Add(file);
            var listed = shard.ToHashSet();
            foreach (var tensor in file.Tensors)
            {
                if (listed.Remove(tensor.Name)) _byName.Add(tensor.Name, (file, tensor));
            }

            if (listed.Count > 0)
                throw new CheckpointException(path, listed.First(), $"tensor {listed.First()} is not in the file, but {Path.GetFileName(index)} says so");
        }
    }

    private void CheckTensors()
    {
        foreach (var tensor in Catalog.Main) Check(tensor);
        for (int layer = Config.Layers; layer < Config.Layers + Config.MtpLayers; layer++)
        {
            if (!Catalog.Layer(layer).Any(t => _byName.ContainsKey(t.Name))) break;
            foreach (var tensor in Catalog.Layer(layer))
            {
                if (tensor.CopyOf is { } original && !_byName.ContainsKey(tensor.Name)) _byName.Add(tensor.Name, _byName[original]);
                else Check(tensor);
            }

            MtpLayers++;
        }
    }

    private void Check(TensorSpec spec)
    {
        // Whether scales are needed follows from the type that the weight has in the file; Check looks at them there.
        if (spec.IsScale) return;
        if (!_byName.TryGetValue(spec.Name, out var found))
            throw new CheckpointException(Folder, spec.Name, $"tensor {spec.Name} is missing; config.json asks for it with shape {spec.Shape}");
        var (file, tensor) = found;
        if (tensor.Shape != spec.Shape)
            throw new CheckpointException(file.Path, spec.Name, $"tensor {spec.Name} has shape {tensor.Shape}, but config.json asks for {spec.Shape}");
        if (tensor.Type is DType.F32 or DType.BF16 or DType.F16) return;
        if (tensor.Type != DType.F8E4M3 || spec.Type != DType.F8E4M3)
        {
            string right = spec.Type == DType.F8E4M3 ? "F8_E4M3, F32, BF16 or F16" : "F32, BF16 or F16";
            string hint = tensor.Type == DType.F8E4M3 && Config.Quantization is null ? "; config.json has no quantization_config" : "";
            throw new CheckpointException(file.Path, spec.Name, $"tensor {spec.Name} has type {tensor.Type.SafetensorsName()}, but must have {right}{hint}");
        }

        CheckScales(spec, file.Path);
    }

    private void CheckScales(TensorSpec weight, string path)
    {
        var spec = Catalog.Scales(weight)!;
        if (!_byName.TryGetValue(spec.Name, out var found))
            throw new CheckpointException(path, spec.Name, $"tensor {weight.Name} has type F8_E4M3, but its scales {spec.Name} are missing");
        if (found.Tensor.Shape != spec.Shape)
            throw new CheckpointException(found.File.Path, spec.Name,
                $"tensor {spec.Name} has shape {found.Tensor.Shape}, but the blocks of {weight.Name} ask for {spec.Shape}");
        if (found.Tensor.Type is not (DType.F32 or DType.BF16 or DType.F16))
            throw new CheckpointException(found.File.Path, spec.Name, $"tensor {spec.Name} has type {found.Tensor.Type.SafetensorsName()}, but must have F32");
    }
}
