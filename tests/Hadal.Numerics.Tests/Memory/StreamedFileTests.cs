namespace Hadal.Numerics.Tests.Memory;

public sealed class StreamedFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    [Fact]
    public void Blocks_are_read_to_their_place_and_the_end_of_the_file_is_told()
    {
        byte[] content = new byte[5 * StreamedFile.Block + 1000];
        new Random(1).NextBytes(content);
        File.WriteAllBytes(_path, content);
        using var backend = new CpuBackend(1);
        using var room = backend.CreateStorage(1 << 20);
        using var file = StreamedFile.Open(_path);
        Assert.Equal(content.Length, file.Length);
        Assert.Equal(2 * StreamedFile.Block, file.Read(StreamedFile.Block, 2 * StreamedFile.Block, room, 3 * StreamedFile.Block));
        Assert.Equal(content[StreamedFile.Block..(3 * StreamedFile.Block)], Bytes(room, 3 * StreamedFile.Block, 2 * StreamedFile.Block));
        Assert.Equal(StreamedFile.Block + 1000, file.Read(4 * StreamedFile.Block, 4 * StreamedFile.Block, room, 0));
        Assert.Equal(content[(4 * StreamedFile.Block)..], Bytes(room, 0, StreamedFile.Block + 1000));
        Assert.Equal(0, file.Read(8 * StreamedFile.Block, StreamedFile.Block, room, 0));
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        using var backend = new CpuBackend(1);
        using var room = backend.CreateStorage(1 << 20);
        using var file = StreamedFile.Open(_path);
        Assert.Throws<ArgumentException>(() => file.Read(0, StreamedFile.Block, room, 1 << 20));
        Assert.Throws<FileNotFoundException>(() => StreamedFile.Open(_path + ".missing"));
    }

    public void Dispose() => File.Delete(_path);

    private static unsafe byte[] Bytes(Storage storage, int offset, int length) => new ReadOnlySpan<byte>(((CpuStorage)storage).Pointer + offset, length).ToArray();
}
