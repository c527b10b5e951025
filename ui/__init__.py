"""What every page shares: access policy, paging, template tags, navigation. No models; imports no other room."""
