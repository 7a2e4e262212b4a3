using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Tests.Threading;

public class MemoryNodesTests
{
    [Theory]
    [InlineData("0-3\n", new[] { 0, 1, 2, 3 })]
    [InlineData("0,2-3,9", new[] { 0, 2, 3, 9 })]
    [InlineData("", new int[0])]
    [InlineData("3-1", new int[0])]
    [InlineData("0-99999999", new int[0])]
    [InlineData("x", new int[0])]
    public void Lists_of_processors_are_read(string list, int[] processors) => Assert.Equal(processors, MemoryNodes.Parse(list));

    [Fact]
    public void Nodes_are_read_in_order_and_those_without_processors_are_left_out()
    {
        string folder = Directory.CreateTempSubdirectory("hadal-nodes-").FullName;
        foreach (var (name, list) in new[] { ("node10", "6-7"), ("node2", "4-5"), ("node0", "0-3"), ("node1", "\n") })
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, name)).FullName, "cpulist"), list);
        Assert.Equal([[0, 1, 2, 3], [4, 5], [6, 7]], MemoryNodes.Read(folder));
        Assert.Empty(MemoryNodes.Read(Path.Combine(folder, "missing")));
        Directory.Delete(folder, true);
    }
}
