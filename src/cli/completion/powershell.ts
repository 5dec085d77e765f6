/** For PowerShell 7, and Windows PowerShell 5.1. */
export const powershellScript = `# keyctl completion for PowerShell. In $PROFILE: keyctl completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName keyctl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $typed = @(foreach ($element in ($commandAst.CommandElements | Select-Object -Skip 1)) {
        if ($element.Extent.StartOffset -lt $cursorPosition) {
            if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $element.Value }
            else { $element.Extent.Text }
        }
    })
    if ("$wordToComplete" -eq '') { $typed += '' }
    # Behind -- stands another program: its words are not shown to keyctl.
    if (@($typed | Select-Object -SkipLast 1) -contains '--') { return }
    $keyctl = Get-Command keyctl -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if (-not $keyctl) { return }
    $typed | & $keyctl __complete 2>$null | ForEach-Object {
        $found, $rest = "$_" -split "\`t", 2
        # Without an answer PowerShell completes files by itself.
        if ($found -ne '' -and -not $found.StartsWith(':')) {
            $about = if ($rest) { $rest } else { $found }
            [System.Management.Automation.CompletionResult]::new($found, $found, 'ParameterValue', $about)
        }
    }
}
`;
