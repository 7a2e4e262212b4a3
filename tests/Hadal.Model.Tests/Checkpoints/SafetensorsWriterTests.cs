using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CsCheck;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Model.Tests.Checkpoints;

public class SafetensorsWriterTests
{
    private static readonly DType[] _types = Enum.GetValues<DType>();

    [Fact]
    public void What_is_written_is_read_and_every_tensor_is_aligned()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("x.safetensors");
        var genEntry = Gen.Select(Gen.Int[0, _types.Length - 1], Gen.Long[0, 5].Array[0, 4]);
        genEntry.Array[0, 12].Sample(made =>
        {
            var entries = made.Select((m, i) => new SafetensorsEntry($"t{i} \"ü\"", _types[m.Item1], new Shape(m.Item2))).ToList();
            SafetensorsWriter.Write(path, entries, (t, stream) => stream.Write(Pattern(t)), new Dictionary<string, string> { ["k"] = "v\n" });
            using var file = SafetensorsFile.Open(path);
            Assert.Equal("v\n", file.Metadata["k"]);
            Assert.Equal(entries.Count, file.Tensors.Count);
            Assert.Equal(0, BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(path)) % 8);
            foreach (var entry in entries)
            {
                var tensor = file.Find(entry.Name)!;
                Assert.Equal((entry.Type, entry.Shape, true), (tensor.Type, tensor.Shape, tensor.IsAligned));
                Assert.True(file.Bytes(entry.Name, 0, (int)tensor.ByteLength).SequenceEqual(Pattern(entry)));
            }
        }, iter: 40, threads: 1);
        Assert.Equal([path], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_callback_that_writes_too_little_or_fails_leaves_the_old_file()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("x.safetensors");
        SafetensorsEntry[] entries = [new("a", DType.F32, new Shape(2))];
        SafetensorsWriter.Write(path, entries, (_, stream) => stream.Write(MemoryMarshal.AsBytes<float>([1, 2])));
        Assert.Throws<InvalidOperationException>(() => SafetensorsWriter.Write(path, entries, (_, stream) => stream.WriteByte(1)));
        Assert.Throws<OperationCanceledException>(() => SafetensorsWriter.Write(path, entries, (_, _) => throw new OperationCanceledException()));
        var full = Assert.Throws<CheckpointException>(() => SafetensorsWriter.Write(path, entries, (_, _) => throw new IOException("No space left on device")));
        Assert.Contains("the file cannot be written (No space left on device)", full.Message, StringComparison.Ordinal);
        Assert.Equal([path], Directory.GetFileSystemEntries(folder.Path));
        using var file = SafetensorsFile.Open(path);
        var values = new float[2];
        file.ReadSingle("a", values);
        Assert.Equal([1, 2], values);
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("__metadata__", "b")]
    public void Repeated_and_reserved_names_are_refused(string first, string second)
    {
        using var folder = new TemporaryFolder();
        SafetensorsEntry[] entries = [new(first, DType.U8, new Shape(0)), new(second, DType.U8, new Shape(0))];
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(folder.File("x"), entries, (_, _) => { }));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_missing_folder_is_one_sentence()
    {
        using var folder = new TemporaryFolder();
        var e = Assert.Throws<CheckpointException>(() => SafetensorsWriter.Write(Path.Combine(folder.Path, "none", "x"), [], (_, _) => { }));
        Assert.Contains("cannot be written", e.Message, StringComparison.Ordinal);
    }

    private static byte[] Pattern(SafetensorsEntry entry)
    {
        var bytes = new byte[entry.ByteLength];
        new Random(entry.Name.Length + (int)entry.Type).NextBytes(bytes);
        return bytes;
    }
}
