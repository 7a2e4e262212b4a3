using System.Buffers;
using System.Numerics;
using Hadal.Model.Checkpoints.Gguf;
using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>The weights of a model: a Hugging Face folder (<c>config.json</c> with one <c>model.safetensors</c>, or with shards and their index) or a GGUF
/// file.</summary>
/// <remarks>
/// Tensors have their Hugging Face names in both. Of a GGUF file, an expert is a slice of its stack, and <c>kv_b_proj</c> is put together again from the two
/// parts that such files have; the tensors as they stand in the file can be read under their GGUF names, too.
/// Files are mapped, not read: opening costs little memory whatever their size. Opening checks that every tensor of the configuration is there with
/// its shape and a fitting type. Reading is safe from several threads at once.
/// </remarks>
public sealed partial class Checkpoint : IDisposable
{
    /// <summary>Name of the file of a checkpoint that is not sharded.</summary>
    public const string SingleFileName = "model.safetensors";

    private readonly List<IDisposable> _files = [];
    private readonly Dictionary<string, StoredTensor> _byName = [];

    private Checkpoint(string folder, ModelConfig config) => (Folder, Config, Catalog) = (folder, config, new TensorCatalog(config));

    /// <summary>The folder, or the GGUF file.</summary>
    public string Folder { get; }

    /// <summary>True for a GGUF file, false for a Hugging Face folder.</summary>
    public bool IsGguf { get; private init; }

    /// <summary>The metadata of a GGUF file; null for a folder.</summary>
    internal GgufMetadata? Metadata { get; private init; }

    /// <summary>What <c>config.json</c> or the metadata of the GGUF file say.</summary>
    public ModelConfig Config { get; }

    /// <summary>The tensors that follow from <see cref="Config"/>.</summary>
    public TensorCatalog Catalog { get; }

    /// <summary>The tensors of the files, under the names that they have there, by file and place in it.</summary>
    public IReadOnlyList<CheckpointTensor> Tensors { get; private set; } = [];

    /// <summary>MTP modules whose weights are there: <see cref="ModelConfig.MtpLayers"/>, or fewer, since programs that do not use them often leave them out.
    /// Whoever writes this checkpoint anew writes a configuration with this number.</summary>
    public int MtpLayers { get; private set; }

    /// <summary>Opens a model and checks its tensors against its configuration.</summary>
    /// <param name="path">A Hugging Face folder or a <c>.gguf</c> file (of a split one the first part).</param>
    /// <returns>The open checkpoint.</returns>
    /// <exception cref="ConfigException"><c>config.json</c> is missing or wrong.</exception>
    /// <exception cref="CheckpointException">A file is missing or malformed, or a tensor is missing or has the wrong shape or type.</exception>
    public static Checkpoint Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (GgufFile.IsGguf(path)) return OpenGguf(path);
        AtomicFolder.Recover(path);
        if (!Directory.Exists(path))
            throw new CheckpointException(path, null, File.Exists(path) ? "this is a file, but must be a model folder or a .gguf file" : "there is no such folder");
        var checkpoint = new Checkpoint(path, ModelConfig.Load(path));
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
    public CheckpointTensor Get(string name) => Find(name).Description;

    /// <summary>A tensor where it lies, without a copy; valid until the checkpoint is disposed.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The view, read-only, in the type of the file.</returns>
    /// <exception cref="CheckpointException">There is no such tensor, or it can only be copied: it is not aligned to its element size, stored in blocks (see
    /// <see cref="ViewBlocks"/>), or put together from several.</exception>
    public Tensor View(string name) => Find(name).View();

    /// <summary>Where the bytes of a tensor lie, for those who read files themselves.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="place">The place of its elements, which have the type that <see cref="Get"/> says, or of its blocks.</param>
    /// <returns>False if the elements do not lie in a file in that form.</returns>
    /// <exception cref="CheckpointException">There is no such tensor.</exception>
    public bool TryPlace(string name, out TensorPlace place)
    {
        var found = Find(name).Place;
        place = found ?? default;
        return found is not null;
    }

    /// <summary>The blocks of a tensor where they lie, without a copy; valid until the checkpoint is disposed.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The bytes, read-only: U8 [rows, bytes of a row]. Their format is <see cref="CheckpointTensor.Blocks"/> of <see cref="Get"/>. Under its GGUF
    /// name a stack of experts is U8 [experts, rows, bytes of a row].</returns>
    /// <exception cref="CheckpointException">There is no such tensor, or it is not stored in blocks.</exception>
    public Tensor ViewBlocks(string name) => Find(name).Blocks();

    /// <summary>Copies a tensor, widened to FP32; FP8 weights are multiplied by their block scales, blocks of a GGUF file are decoded.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="destination">Receives all elements; at least as many as the tensor has.</param>
    /// <exception cref="CheckpointException">There is no such tensor, or it holds no floating-point numbers.</exception>
    public void ReadSingle(string name, Span<float> destination) => ReadRows(name, 0, Find(name).Shape.Rows, destination);

    /// <summary>Copies a range of rows of a tensor, widened to FP32; FP8 weights are multiplied by their block scales, blocks of a GGUF file are
    /// decoded.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="firstRow">First row; a vector is one row.</param>
    /// <param name="rowCount">How many.</param>
    /// <param name="destination">Receives [rowCount, columns] elements.</param>
    /// <exception cref="CheckpointException">There is no such tensor, or it holds no floating-point numbers.</exception>
    /// <exception cref="ArgumentException">The rows are outside the tensor, or there is not enough room.</exception>
    public void ReadRows(string name, long firstRow, long rowCount, Span<float> destination)
    {
        var tensor = Find(name);
        long columns = tensor.Shape.Columns;
        if (firstRow < 0 || rowCount < 0 || firstRow > tensor.Shape.Rows - rowCount)
            throw new ArgumentOutOfRangeException(nameof(firstRow), $"Rows {firstRow}..{firstRow + rowCount} are not in {name}, which is {tensor.Shape}.");
        if (columns > 0 && rowCount > destination.Length / columns)
            throw new ArgumentException($"{rowCount} rows of {columns} do not fit in {destination.Length} elements.", nameof(destination));
        destination = destination[..(int)(rowCount * columns)];
        tensor.Read(firstRow, destination);
        if (tensor.Type == DType.F8E4M3 && Config.Quantization is { } blocks && _byName.TryGetValue(tensor.Description.Name + TensorSpec.ScaleSuffix, out var scales))
            Scale(destination, firstRow, (int)columns, blocks, scales);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
        _files.Clear();
    }

    // w[i, j] = code[i, j] · scale[i / block rows, j / block columns] (section 3.3.2; the files' README calls the factor "scale_inv").
    private static void Scale(Span<float> rows, long firstRow, int columns, BlockQuantization blocks, StoredTensor scales)
    {
        if (columns == 0) return;
        int width = (int)scales.Shape.Columns;
        float[] rented = ArrayPool<float>.Shared.Rent(width);
        var factors = rented.AsSpan(0, width);
        long loaded = -1;
        for (int i = 0; i < rows.Length / columns; i++)
        {
            long blockRow = (firstRow + i) / blocks.BlockRows;
            if (blockRow != loaded) scales.Read(loaded = blockRow, factors);
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

    private StoredTensor Find(string name) =>
        _byName.TryGetValue(name, out var found) ? found : throw new CheckpointException(Folder, name, $"there is no tensor {name} in the checkpoint");
}
