using Hadal.Numerics;

namespace Hadal.Parallel.Worker.Conformance;

/// <summary>Tensors of any type filled with bytes that tell where they come from, between guards that nothing may touch.</summary>
internal sealed class Patterns(IBackend backend) : IDisposable
{
    private const int GuardWords = 8;
    private readonly List<Storage> _storages = [];

    /// <summary>A tensor of its own memory, all zero.</summary>
    public Tensor Make(DType type, Shape shape)
    {
        var storage = backend.CreateStorage((Words(type, shape.Count) + 2 * GuardWords) * sizeof(int));
        _storages.Add(storage);
        var whole = AllWords(storage);
        var guards = new int[whole.Count];
        guards.AsSpan(0, GuardWords).Fill(~GuardWords);
        guards.AsSpan(guards.Length - GuardWords).Fill(~GuardWords);
        backend.Write(guards, whole);
        return storage.View(GuardWords * sizeof(int), type, shape);
    }

    /// <summary>A tensor of its own memory with the bytes of a source.</summary>
    public Tensor Make(DType type, Shape shape, int source)
    {
        var values = Make(type, shape);
        Fill(values, source);
        return values;
    }

    /// <summary>Writes the bytes of a source into a whole tensor of <see cref="Make(DType, Shape)"/>.</summary>
    public void Fill(Tensor values, int source)
    {
        var words = new int[Words(values.Type, values.Count)];
        for (int i = 0; i < words.Length; i++) words[i] = Word(source, i);
        backend.Write(words, values.Storage.View(GuardWords * sizeof(int), DType.I32, new Shape(words.Length)));
    }

    /// <summary>Throws unless a whole tensor of <see cref="Make(DType, Shape)"/> has the bytes of a source and its guards are whole.</summary>
    public void Check(Tensor values, int source, string what)
    {
        long bytes = values.Count * values.Type.SizeOf();
        byte[] found = Bytes(values);
        for (long i = 0; i < bytes; i++)
        {
            byte expected = (byte)(Word(source, (int)(i / sizeof(int))) >> (int)(i % sizeof(int) * 8));
            if (found[i] != expected) throw new ConformanceException($"{what}: byte {i} of {bytes} is {found[i]} and has to be {expected}.");
        }
    }

    /// <summary>The bytes of a whole tensor of <see cref="Make(DType, Shape)"/>, after a look at its guards.</summary>
    public byte[] Bytes(Tensor values)
    {
        var words = new int[values.Storage.ByteLength / sizeof(int)];
        backend.Read(AllWords(values.Storage), words);
        for (int i = 0; i < GuardWords; i++)
        {
            if (words[i] != ~GuardWords || words[^(i + 1)] != ~GuardWords) throw new ConformanceException($"Memory beside {values} was written.");
        }

        var bytes = new byte[words.Length * sizeof(int)];
        Buffer.BlockCopy(words, 0, bytes, 0, bytes.Length);
        return bytes[(GuardWords * sizeof(int))..];
    }

    public void Dispose()
    {
        foreach (var storage in _storages) storage.Dispose();
    }

    /// <summary>The i-th four bytes of what a source sends.</summary>
    private static int Word(int source, int i)
    {
        uint x = (uint)source * 0x9E3779B9u + (uint)i * 0x85EBCA6Bu + 1;
        x = (x ^ (x >> 16)) * 0x7FEB352Du;
        return (int)(x ^ (x >> 15));
    }

    private static long Words(DType type, long count) => (count * type.SizeOf() + sizeof(int) - 1) / sizeof(int);

    private static Tensor AllWords(Storage storage) => storage.View(0, DType.I32, new Shape(storage.ByteLength / sizeof(int)));
}
