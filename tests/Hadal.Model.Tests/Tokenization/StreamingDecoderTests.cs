using System.Text;
using CsCheck;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Tests.Tokenization;

public class StreamingDecoderTests
{
    private static readonly Tokenizer _v3 = TokenizerData.V3;

    [Fact]
    public void The_stream_is_the_text_of_all_ids_whatever_they_are()
        => Gen.Frequency((3, Gen.Int[3, 258]), (1, Gen.Int[0, 128_814])).Array[0, 40].Sample(static ids =>
        {
            StreamingDecoder decoder = new(_v3);
            StringBuilder text = new();
            foreach (int id in ids) text.Append(decoder.Push(id));
            text.Append(decoder.Finish());
            Assert.Equal(_v3.Decode(ids), text.ToString());
        }, iter: 3_000);

    [Fact]
    public void Characters_come_out_whole_and_never_early()
        => TextGen.WellFormed.Sample(static text =>
        {
            StreamingDecoder decoder = new(_v3);
            StringBuilder sofar = new();
            foreach (int id in _v3.Encode(text))
            {
                int before = sofar.Length;
                int appended = decoder.Push(id, sofar);
                Assert.Equal(sofar.Length - before, appended);
                Assert.StartsWith(sofar.ToString(), text, StringComparison.Ordinal);
                Assert.False(sofar.Length > 0 && char.IsHighSurrogate(sofar[^1]));
            }

            Assert.Equal("", decoder.Finish());
            Assert.Equal(text, sofar.ToString());
        }, iter: 1_000);

    [Fact]
    public void An_incomplete_tail_is_held_back_and_replaced_only_when_proven_wrong()
    {
        int[] bytes = [.. Encoding.UTF8.GetBytes("😀").Select(static b => _v3.IdOf(ByteAlphabet.CharOf(b).ToString())!.Value)];
        StreamingDecoder decoder = new(_v3);
        Assert.Equal("", decoder.Push(bytes[0]));
        Assert.Equal("", decoder.Push(bytes[1]));
        Assert.Equal("", decoder.Push(bytes[2]));
        Assert.Equal("😀", decoder.Push(bytes[3]));
        Assert.Equal("", decoder.Push(bytes[0]));
        Assert.Equal("", decoder.Push(bytes[1]));
        Assert.Equal("\uFFFDa", decoder.Push(_v3.IdOf("a")!.Value));
        Assert.Equal("", decoder.Push(bytes[0]));
        Assert.Equal("\uFFFD", decoder.Finish());
        Assert.Equal("a", decoder.Push(_v3.IdOf("a")!.Value));
    }

    [Fact]
    public void Special_tokens_can_be_left_out()
    {
        StreamingDecoder decoder = new(_v3, skipSpecialTokens: true);
        Assert.Equal("", decoder.Push(0));
        Assert.Equal("<｜User｜>", decoder.Push(128_803));
        Assert.Throws<TokenizerException>(() => decoder.Push(128_815));
    }
}
