using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Hadal.Model.Checkpoints;
using Hadal.Numerics;

namespace Hadal.Model.Tests.Checkpoints;

public class SafetensorsFileTests
{
    private const string A = """ "a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]} """;
    private const string B = """ "b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]} """;

    [Theory]
    [InlineData("tiny-v3", "golden.safetensors")]
    [InlineData("fp8-unit", "fp8_unit.safetensors")]
    [InlineData("tiny-moonlight", "model.safetensors")]
    public void The_golden_files_read_byte_for_byte(params string[] path)
    {
        var golden = GoldenData.Tensors(path);
        using var file = SafetensorsFile.Open(GoldenData.Folder(path));
        Assert.Equal(golden.Names.Order(), file.Tensors.Select(t => t.Name).Order());
        foreach (var tensor in file.Tensors)
        {
            Assert.Equal(golden.Type(tensor.Name), tensor.Type.SafetensorsName());
            Assert.Equal(golden.Shape(tensor.Name), tensor.Shape.ToArray());
            Assert.True(golden.Bytes(tensor.Name).SequenceEqual(file.Bytes(tensor.Name, 0, (int)tensor.ByteLength)));
            Assert.True(tensor.IsAligned);
            var view = file.View(tensor.Name);
            Assert.Equal((tensor.Type, tensor.Shape, true), (view.Type, view.Shape, view.Storage.IsReadOnly));
            if (tensor.Type != DType.F32) continue;
            var values = new float[tensor.Shape.Count];
            file.ReadSingle(tensor.Name, values);
            Assert.Equal(MemoryMarshal.AsBytes<float>(golden.F32(tensor.Name)), MemoryMarshal.AsBytes<float>(values));
        }
    }

    [Theory]
    [InlineData("{}", 0, null)]
    [InlineData("{" + A + "}", 8, null)]
    [InlineData("{" + A + "}   ", 8, null)]
    [InlineData("""{"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 4, null)]
    [InlineData("""{"e":{"dtype":"F32","shape":[3,0],"data_offsets":[0,0]}}""", 0, null)]
    [InlineData("{" + B + "," + A + "}", 16, null)]
    [InlineData("""{"__metadata__":{"format":"pt"}}""", 0, null)]
    [InlineData("{" + A + "}", 7, "truncated")]
    [InlineData("{" + A + "}", 9, "the last 1 bytes belong to no tensor")]
    [InlineData("{" + B + "}", 16, "8 bytes before tensor b belong to no tensor")]
    [InlineData("{" + A + """, "b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "tensor b overlaps a: it starts 4 bytes before that ends")]
    [InlineData("{" + A + """, "b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "overlaps")]
    [InlineData("{" + A + "," + A + "}", 8, "tensor a is described twice")]
    [InlineData("""{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", 8, "unknown dtype F33")]
    [InlineData("""{"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}}""", 8, "dtype that is not a string")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "shape with something other than whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}""", 8, "shape with something other than whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "takes 12 bytes, but data_offsets give it 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", 8, "impossible shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}""", 0, "impossible shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,1,1,1,2],"data_offsets":[0,8]}}""", 8, "more than 4 numbers in shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", 8, "shape that is not a list")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "data_offsets that are not two numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}""", 8, "more than 2 numbers in data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "before it starts")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775807]}}""", 8, "truncated")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]}}""", 8, "whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "lacks one of dtype, shape and data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "repeated field dtype")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}""", 8, "unknown or repeated field x")]
    [InlineData("""{"a":[]}""", 0, "must be a JSON object")]
    [InlineData("""{"__metadata__":{"n":1}}""", 0, "__metadata__ must give each name one string")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "described twice")]
    [InlineData("[]", 0, "does not start with {")]
    [InlineData("", 0, "does not start with {")]
    [InlineData(" {}", 0, "does not start with {")]
    [InlineData("{", 0, "not valid JSON")]
    [InlineData("{}{}", 0, "not valid JSON")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "not valid Unicode")]
    public void A_header_is_accepted_only_if_it_describes_exactly_the_data(string header, int dataBytes, string? message)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("x.safetensors");
        File.WriteAllBytes(path, RawSafetensors.File(header, dataBytes));
        if (message is null)
        {
            SafetensorsFile.Open(path).Dispose();
            return;
        }

        var e = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(path));
        Assert.StartsWith(path + ": ", e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);

        // Nothing holds the file after a failure.
        File.Delete(path);
    }

    [Theory]
    [InlineData(0, "the file has 0 bytes")]
    [InlineData(7, "the file has 7 bytes")]
    public void A_file_shorter_than_its_prefix_is_one_sentence(int length, string message)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("x"), new byte[length]);
        Assert.Contains(message, Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(folder.File("x"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1_000UL, "the header claims 1000 bytes, but the file ends after 16 more")]
    [InlineData(100_000_001UL, "more than the 100000000")]
    [InlineData(ulong.MaxValue, "more than the 100000000")]
    public void A_header_length_beyond_the_file_or_the_format_allocates_nothing(ulong length, string message)
    {
        using var folder = new TemporaryFolder();
        var bytes = new byte[24];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        File.WriteAllBytes(folder.File("x"), bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(folder.File("x")));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_and_a_folder_are_one_sentence()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("there is no such file", Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(folder.File("x"))).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be read", Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_off_its_alignment_is_copied_but_not_viewed()
    {
        using var folder = new TemporaryFolder();
        var data = new byte[13];
        BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(1), 1.5f);
        BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(5), -2);
        BinaryPrimitives.WriteHalfLittleEndian(data.AsSpan(9), (Half)3);
        BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(11), 0x4080);
        string header = "{" + string.Join(',', RawSafetensors.Tensor("u", "U8", "[1]", 0, 1), RawSafetensors.Tensor("f", "F32", "[2]", 1, 9),
            RawSafetensors.Tensor("h", "F16", "[1]", 9, 11), RawSafetensors.Tensor("b", "BF16", "[1]", 11, 13)) + "}";
        header += new string(' ', (8 - header.Length % 8) % 8);
        File.WriteAllBytes(folder.File("x"), RawSafetensors.File(header, data));

        using var file = SafetensorsFile.Open(folder.File("x"));
        Assert.All(file.Tensors, t => Assert.Equal(t.Name == "u", t.IsAligned));
        Assert.Contains("can be copied but not used in place", Assert.Throws<CheckpointException>(() => file.View("f")).Message, StringComparison.Ordinal);
        var values = new float[2];
        file.ReadSingle("f", values);
        Assert.Equal([1.5f, -2], values);
        file.ReadSingle("h", values);
        Assert.Equal(3, values[0]);
        file.ReadSingle("b", values);
        Assert.Equal(4, values[0]);
        Assert.Contains("not a floating-point type", Assert.Throws<CheckpointException>(() => file.ReadSingle("u", values)).Message, StringComparison.Ordinal);
        Assert.Equal("x", Assert.Throws<CheckpointException>(() => file.ReadSingle("x", values)).TensorName);
        Assert.Throws<ArgumentException>(() => file.ReadSingle("f", new float[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Bytes("f", 4, 5));
    }

    [Fact]
    public void Ten_thousand_damaged_headers_give_an_exception_of_their_own_or_a_file_in_order()
    {
        var twelve = Enumerable.Range(0, 12).Select(i => RawSafetensors.Tensor($"model.layers.{i}.weight", "BF16", "[4, 2]", i * 16, i * 16 + 16));
        byte[][] seeds =
        [
            RawSafetensors.File("{" + A + "," + B + """, "__metadata__":{"format":"pt"}}""", 16),
            RawSafetensors.File("{" + string.Join(',', twelve) + "}", 192),
            [.. File.ReadAllBytes(GoldenData.Folder("tiny-moonlight", "model.safetensors")).AsSpan(0, 2000), .. new byte[100]],
            RawSafetensors.File("""{"e":{"dtype":"I64","shape":[0,5],"data_offsets":[0,0]},"s":{"dtype":"F64","shape":[],"data_offsets":[0,8]}}""", 8),
        ];
        int good = 0;
        Mutations.Run(seeds, seed: 2, count: 10_000, mostBytes: 1 << 20, bytes =>
        {
            try
            {
                int length = SafetensorsHeader.Length(bytes.AsSpan(0, Math.Min(8, bytes.Length)), bytes.Length, "x");
                var header = SafetensorsHeader.Parse(bytes.AsSpan(8, length), bytes.Length, "x");
                Assert.Equal(bytes.Length - 8 - length, header.Tensors.Sum(t => t.ByteLength));
                good++;
            }
            catch (CheckpointException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        });
        Assert.InRange(good, 100, 9_000);
    }
}
