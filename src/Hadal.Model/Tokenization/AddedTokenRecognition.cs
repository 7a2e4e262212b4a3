namespace Hadal.Model.Tokenization;

/// <summary>Which added tokens encoding looks for in the text.</summary>
public enum AddedTokenRecognition
{
    /// <summary>All of them: text that spells a control token becomes that token.</summary>
    All,

    /// <summary>Only those not marked special. Note that DeepSeek-V3's role and tool tokens are not marked special.</summary>
    NotSpecial,

    /// <summary>None: everything is ordinary text. For content from users who must not be able to write control tokens.</summary>
    None,
}
