using System.Reflection;
using PublicApiGenerator;

namespace Hadal.Cli.Tests;

/// <summary>What users of the packages can see changes only on purpose: set HADAL_APPROVE=1 and run this test to approve a change.</summary>
public class PublicApiTests
{
    [Theory]
    [InlineData("Hadal.Numerics")]
    [InlineData("Hadal.Model")]
    [InlineData("Hadal.Inference")]
    [InlineData("Hadal.Training")]
    [InlineData("Hadal.Parallel")]
    [InlineData("Hadal.Data")]
    [InlineData("Hadal.Planning")]
    [InlineData("Hadal.Serving")]
    public void The_public_surface_is_the_approved_one(string assembly)
    {
        string actual = Assembly.Load(assembly).GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }).ReplaceLineEndings("\n").TrimEnd() + "\n";
        string path = Path.Combine(GoldenData.Root, "tests", "api", assembly + ".txt");
        if (Environment.GetEnvironmentVariable("HADAL_APPROVE") == "1") File.WriteAllText(path, actual);
        Assert.Equal(File.ReadAllText(path).ReplaceLineEndings("\n"), actual);
    }
}
